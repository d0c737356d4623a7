package app_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"berth/app"
)

func (i *instance) setRules(rules ...app.Rule) {
	i.t.Helper()
	if _, err := i.SetRules(i.t.Context(), app.SetRulesRequest{Rules: &rules}); err != nil {
		i.t.Fatal(err)
	}
}

func (i *instance) preview(r app.PreviewRulesRequest) app.PreviewRulesReply {
	i.t.Helper()
	reply, err := i.PreviewRules(i.t.Context(), r)
	if err != nil || reply.Indexing {
		i.t.Fatalf("preview: %v, indexing is %v", err, reply.Indexing)
	}
	return reply
}

// apply applies the rules and gives the receipt.
func (i *instance) apply() *app.CleanupReceipt {
	i.t.Helper()
	started, err := i.ApplyRules(i.t.Context(), app.ApplyRulesRequest{})
	if err != nil {
		i.t.Fatal(err)
	}
	j := i.finished(started.ID)
	if j.State != app.JobDone || j.Receipt == nil {
		i.t.Fatalf("the job ended as %+v", j)
	}
	return j.Receipt
}

func (i *instance) tags(repo string) (names []string) {
	i.t.Helper()
	reply, err := i.Tags(i.t.Context(), app.TagsRequest{Repository: repo, Sort: "name"})
	var p *app.Problem
	if errors.As(err, &p) && p.Exit == 3 {
		return nil
	}
	if err != nil {
		i.t.Fatal(err)
	}
	for _, tag := range reply.Tags {
		names = append(names, tag.Name)
	}
	slices.Sort(names)
	return names
}

// indexed gives a running instance that knows what it holds.
func indexed(t *testing.T) *instance {
	t.Helper()
	return start(t, options(t, t.TempDir(), "127.0.0.1:0")).indexed()
}

// indexed waits until the disk was compared with the index.
func (i *instance) indexed() *instance {
	i.t.Helper()
	for {
		s, err := i.Snapshot(i.t.Context(), app.SnapshotRequest{})
		if err != nil {
			i.t.Fatal(err)
		}
		if !s.Indexing {
			return i
		}
	}
}

func TestRulesArePreviewedAndAppliedIntoTheTrash(t *testing.T) {
	t.Parallel()
	i := indexed(t)
	for n := range 5 {
		i.push("team/app", fmt.Sprint("pr-", n), fmt.Sprint("layer ", n))
	}
	i.push("team/app", "latest", "layer 4")
	i.push("other", "pr-1", "another")
	i.setRules(app.Rule{Name: "requests", Repositories: []string{"team/*"}, Tags: []string{"pr-*"}, Newest: 2}, app.Rule{Name: "none", Newest: 1, Off: true})
	p := i.preview(app.PreviewRulesRequest{Verdicts: true})
	if len(p.Rules) != 2 || p.All.Tags != 3 || p.Rules[0] != p.All || p.Rules[1].Tags != 4 || p.All.Frees <= 0 || len(p.Verdicts) != 7 {
		t.Fatalf("preview: %+v", p)
	}
	first := p.Verdicts[0]
	if first.Tag != "pr-0" || first.Keep || first.Rule != "requests" || !strings.Contains(first.Because, "not one of the newest 2 by push") || first.Size <= 0 {
		t.Errorf("verdict: %+v", first)
	}
	if some := i.preview(app.PreviewRulesRequest{Verdicts: true, Dropped: true, Limit: 2}); len(some.Verdicts) != 2 || some.Cut != 1 {
		t.Errorf("cut: %+v", some)
	}
	if some := i.preview(app.PreviewRulesRequest{Verdicts: true, Repository: "other", Search: "PR"}); len(some.Verdicts) != 1 || !some.Verdicts[0].Keep {
		t.Errorf("of one repository: %+v", some)
	}
	if some := i.preview(app.PreviewRulesRequest{Verdicts: true, Repository: "o*r"}); len(some.Verdicts) == 0 || some.Verdicts[0].Repository != "other" {
		t.Errorf("of a pattern: %+v", some)
	}
	for pattern, code := range map[string]string{"nobody/*": "not_found", "a b": "bad_request"} {
		_, err := i.PreviewRules(t.Context(), app.PreviewRulesRequest{Verdicts: true, Repository: pattern})
		if p := app.AsProblem(err); p == nil || p.Code != code {
			t.Errorf("of %s: %v", pattern, err)
		}
	}
	draft := []app.Rule{{Newest: 1}}
	if other := i.preview(app.PreviewRulesRequest{Rules: &draft}); other.All.Tags != 4 {
		t.Errorf("a draft: %+v", other)
	}
	if got := i.apply(); got.Dropped != 3 || len(got.Problems) > 0 {
		t.Errorf("receipt: %+v", got)
	}
	if got := i.tags("team/app"); !slices.Equal(got, []string{"latest", "pr-3", "pr-4"}) {
		t.Errorf("left: %v", got)
	}
	bin, err := i.Trash(t.Context(), app.TrashRequest{})
	if err != nil || len(bin.Entries) != 3 || bin.Entries[0].By != "rules" || !strings.HasPrefix(bin.Entries[0].Why, "rule requests: not one of the newest 2") {
		t.Fatalf("trash: %+v, %v", bin, err)
	}
	if _, err := i.Restore(t.Context(), app.RestoreRequest{Entries: []string{bin.Entries[0].ID}}); err != nil {
		t.Error(err)
	}
	if got := i.tags("team/app"); len(got) != 4 {
		t.Errorf("after a restore: %v", got)
	}
}

func TestRulesThatCannotBeAreRefusedInWords(t *testing.T) {
	t.Parallel()
	i := indexed(t)
	i.setRules(app.Rule{Name: "good", Newest: 3})
	for says, rules := range map[string][]app.Rule{
		"keep is empty":      {{Tags: []string{"a*"}}},
		"younger":            {{Younger: "3 days"}},
		"both called":        {{Name: "a", Newest: 1}, {Name: "a", Newest: 2}},
		"regular expression": {{Tags: []string{"re:("}, Newest: 1, Off: true}},
		"newest is negative": {{Newest: -1}},
		"all other tags":     {{Always: []string{"v*"}}},
		"which no name has":  {{Repositories: []string{"Team"}, Newest: 1}},
		"is not a time":      {{Untagged: "soon"}},
		"it does nothing":    {{Name: "idle"}},
	} {
		_, err := i.SetRules(t.Context(), app.SetRulesRequest{Rules: &rules})
		var p *app.Problem
		if !errors.As(err, &p) || p.Exit != 2 || !strings.Contains(p.Text, says) {
			t.Errorf("%s: %v", says, err)
		}
	}
	if reply, err := i.Rules(t.Context(), app.RulesRequest{}); err != nil || len(reply.Rules) != 1 || reply.Rules[0].Name != "good" {
		t.Errorf("they became %+v, %v", reply, err)
	}
}

func TestAPinnedTagAndItsImageStay(t *testing.T) {
	t.Parallel()
	i := indexed(t)
	old := i.push("app", "v1", "one")
	i.push("app", "v2", "two")
	i.setRules(app.Rule{Newest: 1, Untagged: "1s"})
	if reply, err := i.Pin(t.Context(), app.PinRequest{Repository: "app", Tag: "v1"}); err != nil || !reply.Changed {
		t.Fatal(reply, err)
	}
	if reply, err := i.Pin(t.Context(), app.PinRequest{Repository: "app", Tag: "v1"}); err != nil || reply.Changed {
		t.Fatal(reply, err)
	}
	if got := i.preview(app.PreviewRulesRequest{}); got.All.Tags != 0 {
		t.Errorf("with a pin: %+v", got)
	}
	i.push("app", "v1", "moved")
	pins, err := i.Pins(t.Context(), app.PinsRequest{})
	if err != nil || len(pins.Pins) != 1 || pins.Pins[0].Digest != old {
		t.Errorf("pins: %+v, %v", pins, err)
	}
	if _, err := i.Delete(t.Context(), app.DeleteRequest{Repository: "app", Tags: []string{"v1"}}); err != nil {
		t.Fatal(err)
	}
	i.do("GET", "/v2/app/manifests/"+old, "", nil, http.StatusOK)
	for _, v := range i.preview(app.PreviewRulesRequest{Verdicts: true}).Verdicts {
		if v.Digest == old && v.Because != "pinned" {
			t.Errorf("what a pin holds: %+v", v)
		}
	}
	if reply, err := i.Pin(t.Context(), app.PinRequest{Repository: "app", Tag: "v1", Off: true}); err != nil || !reply.Changed {
		t.Error(reply, err)
	}
	if _, err := i.Pin(t.Context(), app.PinRequest{Repository: "app", Tag: "v1"}); err == nil {
		t.Error("a tag that is not there is pinned")
	}
}

func TestAnImmutableTagIsNotDroppedAndSaysSo(t *testing.T) {
	t.Parallel()
	i := indexed(t)
	i.push("app", "v1", "one")
	i.push("app", "v2", "two")
	i.setRules(app.Rule{Newest: 1})
	if got := i.preview(app.PreviewRulesRequest{}); got.All.Tags != 1 {
		t.Fatalf("before: %+v", got)
	}
	immutable := []app.ImmutableRule{{Name: "releases", Tags: []string{"v*"}}}
	if _, err := i.SetRules(t.Context(), app.SetRulesRequest{Immutable: &immutable}); err != nil {
		t.Fatal(err)
	}
	got := i.preview(app.PreviewRulesRequest{Verdicts: true})
	if got.All.Tags != 0 || got.Verdicts[0].Because != "immutable (releases)" {
		t.Errorf("after: %+v", got)
	}
}

// TestAPreviewFromMemoryIsThatOfAFreshLook plays random changes.
func TestAPreviewFromMemoryIsThatOfAFreshLook(t *testing.T) {
	t.Parallel()
	i := indexed(t)
	r := rand.New(rand.NewPCG(3, 7)) //nolint:gosec // a test
	ctx := t.Context()
	i.setRules(app.Rule{Name: "few", Tags: []string{"v*"}, Newest: 2}, app.Rule{Name: "app", Repositories: []string{"app*"}, Except: []string{"v1"}, Newest: 1, Off: true})
	dropped := 0
	for step := range 40 {
		repo, tag := fmt.Sprint([]string{"app", "team/web"}[r.IntN(2)], r.IntN(2)), fmt.Sprint("v", r.IntN(5))
		switch r.IntN(6) {
		case 0, 1, 2:
			i.push(repo, tag, fmt.Sprint("layer ", r.IntN(6)))
		case 3:
			_, _ = i.Delete(ctx, app.DeleteRequest{Repository: repo, Tags: []string{tag}})
		case 4:
			_, _ = i.Pin(ctx, app.PinRequest{Repository: repo, Tag: tag, Off: r.IntN(3) == 0})
		case 5:
			rules, err := i.Rules(ctx, app.RulesRequest{})
			if err != nil {
				t.Fatal(err)
			}
			rules.Rules[r.IntN(2)].Newest = 1 + r.IntN(3)
			i.setRules(rules.Rules...)
		}
		warm := i.preview(app.PreviewRulesRequest{Verdicts: true})
		app.ForgetVerdicts(i.Core)
		cold := i.preview(app.PreviewRulesRequest{Verdicts: true})
		if diff := cmp.Diff(cold, warm); diff != "" {
			t.Fatalf("step %d (-fresh +from memory):\n%s", step, diff)
		}
		dropped += warm.All.Tags
	}
	if dropped < 20 {
		t.Errorf("only %d were to be dropped: the test says little", dropped)
	}
}
