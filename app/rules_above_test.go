package app

import (
	"context"
	"encoding/json"
	"fmt"
	"runtime"
	"strings"
	"testing"
	"time"

	"berth/registry"
	"berth/registry/index"
	"berth/registry/retention"
	"berth/registry/store"
	"berth/registry/verify"

	"github.com/opencontainers/go-digest"
)

// putIndex puts an index of the given manifests, which name tells from others.
func (c *Core) putIndex(t *testing.T, repo, name string, children []registry.Descriptor, tags ...string) registry.Descriptor {
	t.Helper()
	const mediaType = "application/vnd.oci.image.index.v1+json"
	content, err := json.Marshal(map[string]any{
		"schemaVersion": 2, "mediaType": mediaType, "manifests": append([]registry.Descriptor{}, children...), "annotations": map[string]string{"name": name},
	})
	if err != nil {
		t.Fatal(err)
	}
	d, err := c.reg.PutManifest(t.Context(), repo, registry.Manifest{MediaType: mediaType, Content: content}, tags...)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestAManifestStaysThatAnIndexPushedMeanwhileNeeds(t *testing.T) {
	t.Parallel()
	c, ctx := opened(t), t.Context()
	child := c.putIndex(t, "app", "child", nil)
	shared := c.putIndex(t, "app", "shared", nil)
	group, err := c.readGroup(ctx, "app", nil)
	if err != nil {
		t.Fatal(err)
	}
	// Whoever pushes them finds the child there, and leaves it out.
	nested := c.putIndex(t, "app", "nested", []registry.Descriptor{child})
	c.putIndex(t, "app", "parent", []registry.Descriptor{nested}, "multi")
	c.putIndex(t, "other", "shared", nil, "v1")
	var going []int
	for place := range group.Len() {
		if group.Candidate(place).Tag == "" {
			going = append(going, place)
		}
	}
	above, err := c.lookAbove(ctx, "app", group, going)
	if err != nil || !above.needed[child.Digest] || above.needed[shared.Digest] || above.tags[shared.Digest] != 1 {
		t.Fatalf("above: %+v, %v", above, err)
	}
	d := &dropper{c: c}
	drop := func(m registry.Descriptor, above int) error {
		return d.drop(ctx, retention.Verdict{Candidate: &retention.Candidate{Repository: "app", Digest: m.Digest}}, above)
	}
	// The index came after the last look.
	if err := drop(child, 0); err != nil || d.dropped != 0 {
		t.Errorf("dropped %d, %v", d.dropped, err)
	}
	if _, err := c.reg.StatManifest(ctx, "app", child.Digest); err != nil {
		t.Errorf("what a tagged index needs: %v", err)
	}
	if n, err := c.bin.Len(ctx); n != 0 || err != nil {
		t.Errorf("%d entries in the trash, %v", n, err)
	}
	if err := drop(shared, above.tags[shared.Digest]); err != nil || d.dropped != 1 {
		t.Errorf("what another repository has tagged: dropped %d, %v", d.dropped, err)
	}
}

func TestRulesComeToAnEndWhereToJudgeTakesLongerThanAVerdictIsFresh(t *testing.T) {
	t.Parallel()
	c := opened(t)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	for n := range 5 * atOnce {
		name := fmt.Sprint("v", n)
		c.putIndex(t, "many", name, nil, name)
	}
	<-c.disk.(*store.Store).Reconciled()
	for c.blind() {
		runtime.Gosched() // it is told a moment later
	}
	rules, err := retention.Compile([]retention.Policy{{Keep: retention.Keep{Newest: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	d := &dropper{c: c, rules: rules, fresh: time.Nanosecond}
	if err := d.repository(ctx, "many", func() {}); err != nil || d.dropped != 5*atOnce-1 {
		t.Errorf("dropped %d, %v", d.dropped, err)
	}
}

// otherDisk never is what the index says.
type otherDisk struct{ verify.Store }

func (otherDisk) Compare(context.Context, string) error { return nil }

func TestARepositoryThatIsNeverWhatWasJudgedIsLeftAlone(t *testing.T) {
	t.Parallel()
	c, ctx := opened(t), t.Context()
	for n := range 3 {
		name := fmt.Sprint("v", n)
		c.putIndex(t, "app", name, nil, name)
	}
	<-c.disk.(*store.Store).Reconciled()
	for c.blind() {
		runtime.Gosched() // it is told a moment later
	}
	if err := c.disk.(*store.Store).DeleteTag(ctx, "app", "v2"); err != nil {
		t.Fatal(err)
	}
	put := index.PutTag{Repository: "app", Tag: "v3", Digest: digest.FromString("not there"), At: time.Now()}
	if err := c.ix.Apply(ctx, put); err != nil {
		t.Fatal(err)
	}
	rules, err := retention.Compile([]retention.Policy{{Keep: retention.Keep{Newest: 1}}})
	if err != nil {
		t.Fatal(err)
	}
	d := &dropper{c: c, rules: rules, fresh: freshFor}
	c.disk = otherDisk{c.disk}
	if err := d.repository(ctx, "app", func() {}); err != nil || d.dropped != 0 || len(d.problems) != 1 || !strings.Contains(d.problems[0], "app is left alone: another program") {
		t.Errorf("dropped %d, %v, %v", d.dropped, d.problems, err)
	}
}
