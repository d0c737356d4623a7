package dockerbridge_test

import (
	"strings"
	"testing"

	"berth/dockerbridge"
	"berth/dockerbridge/dockertest"
)

func TestAPullCountsEachByteOnce(t *testing.T) {
	t.Parallel()
	last, err := dockerbridge.Follow(strings.NewReader(dockertest.Stream(t, "pull")))
	if err != nil {
		t.Fatal(err)
	}
	if len(last.Layers) != 2 || last.Done != last.Total || last.Total < 21_000_000 {
		t.Errorf("ended at %d of %d, %+v", last.Done, last.Total, last.Layers)
	}
	if last, err = dockerbridge.Follow(strings.NewReader(dockertest.Stream(t, "pull-uptodate"))); err != nil || len(last.Layers) != 0 {
		t.Errorf("up to date: %+v, %v", last, err)
	}
}

func TestALineWithoutEndIsRefused(t *testing.T) {
	t.Parallel()
	_, err := dockerbridge.Follow(strings.NewReader(`{"status":"` + strings.Repeat("x", 3<<20)))
	if err == nil {
		t.Error("a message of 3 MiB was taken")
	}
}

func TestMessagesOfOneReadAreAllTaken(t *testing.T) {
	t.Parallel()
	last, err := dockerbridge.Follow(strings.NewReader(
		"{\"status\":\"Preparing\",\"id\":\"a\"}\r\n\r\n{\"status\":\"Pushing\",\"id\":\"b\",\"progressDetail\":{\"current\":5,\"total\":4}}\r\n{\"status\":\"Retrying in 5 seconds\",\"id\":\"b\"}"))
	if err != nil {
		t.Fatal(err)
	}
	if len(last.Layers) != 2 || last.Layers[1].State != dockerbridge.LayerWaiting || last.Layers[1].Done != 4 || last.Total != 0 {
		t.Errorf("%+v", last)
	}
}

func FuzzStream(f *testing.F) {
	for _, name := range []string{"push", "push-exists", "push-mounted", "pull", "pull-uptodate"} {
		f.Add(dockertest.Stream(f, name))
	}
	f.Add(`{"id":"a","status":"Pushing","progressDetail":{"current":-9223372036854775808,"total":9223372036854775807}}`)
	big := `{"id":"a","status":"Pushing","progressDetail":{"current":9223372036854775807,"total":9223372036854775807}}`
	f.Add(big + "\n" + strings.Replace(big, `"a"`, `"b"`, 1))
	f.Add(`{"aux":{"Digest":"sha256:zz","Size":-1,"manifestPushedInsteadOfIndex":true}}`)
	f.Fuzz(func(t *testing.T, content string) {
		p, _ := dockerbridge.Follow(strings.NewReader(content))
		for _, l := range p.Layers {
			if l.Done < 0 || l.Total < 0 || l.Total > 0 && l.Done > l.Total || l.State == "" {
				t.Errorf("layer %+v", l)
			}
		}
		if p.Done < 0 || p.Total < 0 {
			t.Errorf("%d of %d", p.Done, p.Total)
		}
	})
}
