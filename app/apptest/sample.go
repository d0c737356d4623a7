package apptest

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"berth/app"
)

const (
	mediaManifest = "application/vnd.oci.image.manifest.v1+json"
	mediaIndex    = "application/vnd.oci.image.index.v1+json"
)

const day = 24 * time.Hour

var (
	amd  = []string{"linux/amd64"}
	both = []string{"linux/amd64", "linux/arm64"}
)

// digest gives "sha256:" with as much of head in front as is hexadecimal.
func digest(head string) string {
	sum := sha256.Sum256([]byte(head))
	full := hex.EncodeToString(sum[:])
	for _, c := range head {
		if !(c >= '0' && c <= '9' || c >= 'a' && c <= 'f') {
			return "sha256:" + full
		}
	}
	return "sha256:" + head + full[len(head):]
}

func sampleStatus(now time.Time) app.Status {
	return app.Status{
		State: app.StateRunning, Address: "localhost:5000", Listening: []string{"127.0.0.1:5000", "[::1]:5000"},
		Data: "/home/ada/.local/share/berth", Version: "0.1.0", PID: 4242, Started: now.Add(-3 * time.Hour),
	}
}

func sample(now time.Time) Data {
	d := Data{
		Status: sampleStatus(now),
		LastPush: &app.Pushed{
			Repository: "acme/checkout", Tag: "v2.4.1", Digest: checkoutDigest, At: now.Add(-2 * time.Minute),
			PullCommand: "docker pull localhost:5000/acme/checkout:v2.4.1",
		},
		Repositories: sampleRepositories(now),
		Details:      map[string]app.InspectReply{checkoutDigest: checkoutDetails(now)},
		Local:        sampleLocal(now),
	}
	for i, name := range []string{"pr-302", "pr-301", "pr-299"} {
		d.Trash = append(d.Trash, app.TrashEntry{
			ID: "trash-" + name, Repository: "acme/checkout", Tag: name, Digest: digest(name), Why: "deleted", By: "ada",
			At: now.Add(-time.Duration(i+1) * time.Hour), Until: now.Add(7 * day), Size: 107e6,
		})
	}
	sampleUpkeep(&d, now)
	return d
}

var checkoutDigest = "sha256:9f2c41d7" + digest("checkout")[7+8:7+60] + "e08b"

func sampleRepositories(now time.Time) []Repository {
	tag := func(name, head string, platforms []string, size, frees int64, ago time.Duration) app.Tag {
		t := app.Tag{
			Name: name, Digest: digest(head), MediaType: mediaManifest, Platforms: platforms,
			Size: size, Shared: size - frees, Frees: frees, Pushed: now.Add(-ago), By: "ada",
		}
		if len(platforms) > 1 {
			t.MediaType, t.Attached = mediaIndex, 3
		}
		return t
	}
	checkout := []app.Tag{
		tag("v2.4.1", "", both, 212e6, 18e6, 2*time.Minute),
		tag("latest", "", both, 212e6, 0, 2*time.Minute+time.Second),
		tag("v2.4.0", "51ab03ee", both, 209e6, 17e6, 26*time.Hour),
		tag("pr-318", "c7d1e02a", amd, 108e6, 9_200_000, 2*day),
		tag("pr-317", "0be94c55", amd, 108e6, 9_100_000, 2*day+time.Hour),
		tag("pr-311", "77aa1d90", amd, 107e6, 31e6, 6*day),
		tag("v2.3.9", "e3f8b2c6", both, 205e6, 26e6, 9*day),
	}
	for i := range 2 {
		checkout[i].Digest, checkout[i].Pulls, checkout[i].LastPull = checkoutDigest, 41, now.Add(-time.Minute)
	}
	for i := 8; i > 1; i-- {
		checkout = append(checkout, tag(fmt.Sprintf("v2.3.%d", i), fmt.Sprintf("2300000%d", i), both, 204e6, 12e6, time.Duration(20-i)*day))
	}
	repo := func(name string, size, shared int64, ago time.Duration, rows []app.Tag) Repository {
		return Repository{app.Repository{Name: name, Tags: len(rows), Size: size, Shared: shared, Frees: size - shared, Pushed: now.Add(-ago)}, rows}
	}
	more := func(name string, count int, size int64, ago time.Duration) Repository {
		var rows []app.Tag
		for i := range count {
			rows = append(rows, tag(fmt.Sprintf("v1.%d.0", count-i), name+fmt.Sprint(i), amd, size/2, size/int64(2*count), ago+time.Duration(i)*day))
		}
		return repo(name, size, size/3, ago, rows)
	}
	return []Repository{
		repo("acme/checkout", 612e6, 240e6, 2*time.Minute, checkout),
		more("acme/frontend", 9, 388e6, 31*time.Minute),
		more("acme/payments", 22, 1300e6, 25*time.Hour),
		more("base/go-builder", 3, 840e6, 3*day),
		more("charts/gateway", 5, 96e3, 3*day+time.Hour),
		more("ml/embedder", 2, 1100e6, 8*day),
		more("mirror/library/postgres", 4, 410e6, 9*day),
		more("tools/migrate", 7, 58e6, 15*day),
	}
}

func checkoutDetails(now time.Time) app.InspectReply {
	layer := func(name, by string, size int64, tags int) app.Layer {
		return app.Layer{Digest: digest(name), MediaType: "application/vnd.oci.image.layer.v1.tar+gzip", Size: size, CreatedBy: by, Tags: tags}
	}
	created := now.Add(-5 * time.Minute)
	return app.InspectReply{
		Digest: checkoutDigest, MediaType: mediaIndex, Size: 212e6, Platforms: both, Platform: "linux/amd64", ImageDigest: digest("a11ce0de"),
		Layers: []app.Layer{
			layer("debian", "FROM debian:12-slim", 74e6, 11),
			layer("apt", "RUN apt-get install -y ca-certificates tzdata", 120e6, 4),
			layer("copy", "COPY checkout /usr/local/bin/checkout", 11e6, 1),
		},
		History: []app.History{
			{Created: created.Add(-30 * day), CreatedBy: "FROM debian:12-slim"},
			{Created: created, CreatedBy: "RUN apt-get install -y ca-certificates tzdata"},
			{Created: created, CreatedBy: "COPY checkout /usr/local/bin/checkout"},
			{Created: created, CreatedBy: `ENTRYPOINT ["/usr/local/bin/checkout"]`, Empty: true},
		},
		Config: app.ImageConfig{
			Created: created, User: "65532", Entrypoint: []string{"/usr/local/bin/checkout"}, Cmd: []string{"serve"},
			Env: []string{"PATH=/usr/local/bin:/usr/bin:/bin", "TZ=UTC"}, WorkingDir: "/srv", Ports: []string{"8080/tcp"},
			Labels: map[string]string{"org.opencontainers.image.source": "https://git.example.com/acme/checkout", "org.opencontainers.image.version": "2.4.1"},
		},
		Attached: []app.Attached{
			{Digest: digest("51600001"), ArtifactType: "application/vnd.dev.cosign.simplesigning.v1+json", Size: 1200},
			{Digest: digest("51600002"), ArtifactType: "application/spdx+json", Size: 48_000},
			{Digest: digest("51600003"), ArtifactType: "application/vnd.in-toto+json", Size: 9_400},
		},
		Raw: `{"schemaVersion":2,"mediaType":"` + mediaIndex + `","manifests":[]}`,
	}
}

// details makes up an image of one layer for a tag.
func details(t app.Tag) app.InspectReply {
	by := "COPY app /usr/local/bin/app"
	return app.InspectReply{
		Digest: t.Digest, MediaType: t.MediaType, Size: t.Size, Platforms: t.Platforms, Platform: "linux/amd64", ImageDigest: t.Digest,
		Layers:  []app.Layer{{Digest: digest("layer" + t.Digest), MediaType: "application/vnd.oci.image.layer.v1.tar+gzip", Size: t.Size, CreatedBy: by, Tags: 1}},
		History: []app.History{{Created: t.Pushed, CreatedBy: by}},
		Config:  app.ImageConfig{Created: t.Pushed, Cmd: []string{"/usr/local/bin/app"}, Env: []string{"PATH=/usr/bin:/bin"}},
		Raw:     `{"schemaVersion":2,"mediaType":"` + t.MediaType + `"}`,
	}
}

func emptyLocal() app.LocalImagesReply {
	return app.LocalImagesReply{
		Engine:   app.Engine{Name: "Docker Engine", Version: "28.2", Address: "unix:///var/run/docker.sock", Context: "desktop-linux"},
		Contexts: []app.Context{{Name: "default", Address: "unix:///var/run/docker.sock"}, {Name: "desktop-linux", Address: "unix:///home/ada/.docker/desktop/docker.sock", Current: true}},
		Images:   []app.LocalImage{},
	}
}

func sampleLocal(now time.Time) app.LocalImagesReply {
	reply := emptyLocal()
	add := func(name, id string, size int64, ago time.Duration, as string, here bool) {
		reply.Images = append(reply.Images, app.LocalImage{ID: digest(id), Name: name, Size: size, Created: now.Add(-ago), As: as, InBerth: here})
	}
	add("checkout:dev", "4f1c9a02", 108e6, 3*time.Minute, "acme/checkout:dev", false)
	add("frontend:latest", "a0c2e771", 88e6, time.Hour, "acme/frontend:latest", false)
	add("payments:2.0.0-rc1", "be19f6d0", 134e6, 2*time.Hour, "acme/payments:2.0.0-rc1", false)
	add("go-builder:1.26", "77d0aa13", 840e6, 25*time.Hour, "base/go-builder:1.26", true)
	add("postgres:16", "15e2bb9c", 412e6, 3*day, "library/postgres:16", false)
	add("redis:7", "c9f1d3aa", 117e6, 3*day+time.Hour, "library/redis:7", false)
	return reply
}

// Pushing gives the running push of the mockups, half done, for pictures: put
// it in Data.Jobs.
func Pushing(now time.Time) app.Job {
	return app.Job{
		ID: "job-pushing", Kind: app.JobPush, State: app.JobRunning, Title: "acme/frontend:latest", Source: "frontend:latest",
		Started: now.Add(-time.Second), Done: 53_680_000, Total: 88e6, Rate: 52e6,
		Layers: []app.JobLayer{
			{ID: "a2abf6c4", State: "exists", Done: 20e6, Total: 20e6},
			{ID: "8b1f0e3d", State: "exists", Done: 2e6, Total: 2e6},
			{ID: "5c90d7e1", State: "active", Done: 31e6, Total: 48e6},
			{ID: "f00d2b77", State: "active", Done: 2e6, Total: 9e6},
			{ID: "11d3a9c0", State: "done", Done: 3e6, Total: 3e6},
			{ID: "72be55f1", State: "done", Done: 3e6, Total: 3e6},
			{ID: "9e0c41aa", State: "waiting", Total: 3e6},
		},
	}
}
