package dockerbridge

import (
	"context"
	"io"
	"iter"
	"slices"
	"strings"
	"time"

	"github.com/docker/docker/api/types/events"
	"github.com/docker/docker/api/types/filters"
	"github.com/docker/docker/api/types/image"
	"github.com/docker/docker/client"
)

// noAuth is an empty X-Registry-Auth: engines insist on the header.
const noAuth = "e30="

// docker is an Engine over the Docker API.
type docker struct {
	api *client.Client
	at  endpoint
	own Loans // of pushes that share none
}

var _ Engine = (*docker)(nil)

func newDocker(api *client.Client, at endpoint) *docker {
	return &docker{api: api, at: at}
}

// fail makes an *Error of err; a nil err stays nil.
func (d *docker) fail(err error) error {
	if err == nil {
		return nil
	}
	return asError(err, d.at.host)
}

// Close lets go of the connections.
func (d *docker) Close() error { return d.fail(d.api.Close()) }

// Info says which engine this is.
func (d *docker) Info(ctx context.Context) (Info, error) {
	info, _, err := d.about(ctx)
	return info, err
}

// about gives the Info, and the name of the host that the engine runs on.
func (d *docker) about(ctx context.Context) (info Info, host string, err error) {
	version, err := d.api.ServerVersion(ctx)
	if err != nil {
		return Info{}, "", d.fail(err)
	}
	sys, err := d.api.Info(ctx)
	if err != nil {
		return Info{}, "", d.fail(err)
	}
	info = Info{
		Name:     "Docker Engine",
		Version:  version.Version,
		Address:  d.at.host,
		Context:  d.at.context,
		Platform: version.Os + "/" + version.Arch,
	}
	if strings.Contains(sys.OperatingSystem, "Docker Desktop") || strings.Contains(version.Platform.Name, "Docker Desktop") {
		info.Name = "Docker Desktop"
	}
	for _, c := range version.Components {
		if strings.HasPrefix(c.Name, "Podman") {
			info.Name = "Podman"
		}
	}
	for _, pair := range sys.DriverStatus {
		if pair[0] == "driver-type" && strings.HasPrefix(pair[1], "io.containerd.snapshotter") {
			info.Containerd = true
		}
	}
	for _, option := range sys.SecurityOptions {
		if strings.Contains(option, "rootless") {
			info.Rootless = true
		}
	}
	return info, sys.Name, nil
}

// Images lists the engine's images, newest first.
func (d *docker) Images(ctx context.Context) ([]Image, error) {
	list, err := d.api.ImageList(ctx, image.ListOptions{})
	if err != nil {
		return nil, d.fail(err)
	}
	out := make([]Image, 0, len(list))
	for _, s := range list {
		img := Image{
			ID:      s.ID,
			Names:   realNames(s.RepoTags),
			Digests: realNames(s.RepoDigests),
			Size:    s.Size,
			Created: time.Unix(s.Created, 0),
		}
		for _, m := range s.Manifests {
			if m.Kind == image.ManifestKindImage && m.Available {
				p := m.ImageData.Platform
				img.Platforms = append(img.Platforms, strings.TrimSuffix(p.OS+"/"+p.Architecture+"/"+p.Variant, "/"))
			}
		}
		out = append(out, img)
	}
	slices.SortStableFunc(out, func(a, b Image) int {
		if c := b.Created.Compare(a.Created); c != 0 {
			return c
		}
		return strings.Compare(a.ID, b.ID)
	})
	return out, nil
}

// realNames leaves out "<none>:<none>", which stands for no name.
func realNames(names []string) []string {
	var out []string
	for _, n := range names {
		if !strings.HasPrefix(n, "<none>") && n != "" {
			out = append(out, n)
		}
	}
	return out
}

// Pull has the engine pull ref.
func (d *docker) Pull(ctx context.Context, ref string, progress func(Progress)) error {
	body, err := d.api.ImagePull(ctx, ref, image.PullOptions{RegistryAuth: noAuth})
	if err != nil {
		return d.fail(ended(ctx, err))
	}
	defer body.Close()
	return d.fail(ended(ctx, newStream("pulling", nil, progress).follow(body)))
}

// ended puts the end of the context first: what an engine says about a
// cancelled request is chance.
func ended(ctx context.Context, err error) error {
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

// Save streams an image as a tar.
func (d *docker) Save(ctx context.Context, name string) (io.ReadCloser, error) {
	body, err := d.api.ImageSave(ctx, []string{name})
	if err != nil {
		return nil, d.fail(ended(ctx, err))
	}
	return body, nil
}

// Watch yields the engine's image events until ctx ends.
func (d *docker) Watch(ctx context.Context) iter.Seq2[Change, error] {
	return func(yield func(Change, error) bool) {
		ctx, cancel := context.WithCancel(ctx)
		defer cancel()
		messages, errs := d.api.Events(ctx, events.ListOptions{
			Filters: filters.NewArgs(filters.Arg("type", string(events.ImageEventType))),
		})
		for {
			select {
			case m := <-messages:
				c := Change{Action: string(m.Action), Image: m.Actor.ID, At: time.Unix(0, m.TimeNano)}
				if !yield(c, nil) {
					return
				}
			case err := <-errs:
				if ctx.Err() == nil {
					yield(Change{}, d.fail(gone(err)))
				}
				return
			case <-ctx.Done():
				return
			}
		}
	}
}

// gone makes an error of a stream that ended by itself: engines end it only
// when they stop.
func gone(err error) error {
	if err == nil || err == io.EOF { //nolint:errorlint // the client gives it bare
		return io.ErrUnexpectedEOF
	}
	return err
}
