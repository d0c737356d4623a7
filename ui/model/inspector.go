package model

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"berth/app"
)

// inspection is what is known of the focused tag. It is guarded by the lock of
// Images.
type inspection struct {
	tab Tab
	// repo, digest and platform are what reply, or problem, answers; asked is
	// what was asked for.
	asked    asked
	platform string // chosen by a person; empty means the service's choice
	reply    *app.InspectReply
	problem  *app.Problem
	// stale is set when images changed since: the reply is shown until the
	// next one comes.
	stale bool
}

type asked struct{ repo, tag, digest, platform string }

// SetTab shows a tab of the inspector.
func (m *Images) SetTab(t Tab) {
	m.change(func() { m.look.tab = t })
}

// SetPlatform shows another platform of an image that has several.
func (m *Images) SetPlatform(p string) {
	m.change(func() { m.look.platform = p })
	m.inspect()
}

// inspect asks for the focused tag, unless it was asked for already.
func (m *Images) inspect() {
	m.mu.Lock()
	t := &m.table
	i := t.index(t.focus)
	if i < 0 {
		m.mu.Unlock()
		return
	}
	want := asked{m.selected, t.tags[i].Name, t.tags[i].Digest, m.look.platform}
	old := m.look.asked
	if old == want && m.look.problem == nil && !m.look.stale {
		m.mu.Unlock()
		return
	}
	if old.repo != want.repo || old.digest != want.digest {
		want.platform, m.look.platform, m.look.reply = "", "", nil
	}
	m.look.asked, m.look.problem, m.look.stale = want, nil, false
	m.mu.Unlock()
	m.refresh()
	m.tasks.run("inspect", func(ctx context.Context) { m.fetchInspection(ctx, want) })
}

func (m *Images) fetchInspection(ctx context.Context, want asked) {
	r, err := m.Service.Inspect(ctx, app.InspectRequest{Repository: want.repo, Reference: want.digest, Platform: want.platform})
	m.mu.Lock()
	if ctx.Err() != nil || m.look.asked != want {
		m.mu.Unlock()
		return
	}
	if err != nil {
		m.look.problem = m.problemOf(err, "Reading "+want.repo+":"+want.tag)
	} else {
		m.look.reply = &r
	}
	m.mu.Unlock()
	m.refresh()
}

func (m *Images) inspectorLocked(row TagRow) *InspectorView {
	l := &m.look
	v := &InspectorView{Tag: row.Name, Digest: row.Digest, DigestText: DigestLabel(row.Digest), Tab: l.tab, Phase: PhaseLoading, Problem: l.problem}
	switch {
	case l.problem != nil:
		v.Phase = PhaseFailed
	case l.reply != nil:
		v.Phase = PhaseReady
		v.fill(*l.reply, m.Now())
	}
	v.Tabs = tabs(l.tab, len(v.Attached))
	return v
}

func tabs(selected Tab, attached int) []TabItem {
	last := "Attached"
	if attached > 0 {
		last = fmt.Sprintf("Attached %d", attached)
	}
	return []TabItem{
		{TabLayers, "Layers", selected == TabLayers},
		{TabConfig, "Config", selected == TabConfig},
		{TabHistory, "History", selected == TabHistory},
		{TabAttached, last, selected == TabAttached},
	}
}

func (v *InspectorView) fill(r app.InspectReply, now time.Time) {
	v.Platform = r.Platform
	for _, p := range r.Platforms {
		if !strings.HasPrefix(p, "unknown") {
			v.Platforms = append(v.Platforms, p)
		}
	}
	if r.Pulls > 0 {
		v.Pulled = fmt.Sprintf("Pulled %d×", r.Pulls)
	}
	v.Layers = layerRows(r.Layers)
	v.Config = configFacts(r, now)
	for _, h := range r.History {
		step := cmp.Or(oneLine(h.CreatedBy), h.Comment)
		v.History = append(v.History, HistoryRow{Step: step, Created: Ago(h.Created, now), CreatedExact: Absolute(h.Created, now), Empty: h.Empty})
	}
	for _, a := range r.Attached {
		v.Attached = append(v.Attached, AttachedRow{
			Kind: attachedKind(a.ArtifactType), Type: a.ArtifactType, Digest: a.Digest, Short: ShortDigest(a.Digest), Size: Size(a.Size),
		})
	}
}

func layerRows(layers []app.Layer) []LayerRow {
	var whole int64
	for _, l := range layers {
		whole += l.Size
	}
	var out []LayerRow
	for i, l := range layers {
		row := LayerRow{
			Number: i + 1, Step: cmp.Or(oneLine(l.CreatedBy), l.MediaType), Digest: l.Digest,
			Size: Size(l.Size), Part: Part(l.Size, whole), Only: l.Tags <= 1, Shared: "only this tag",
		}
		if !row.Only {
			row.Shared = "shared by " + Count(l.Tags, "tag")
		}
		out = append(out, row)
	}
	return out
}

func configFacts(r app.InspectReply, now time.Time) []Fact {
	c := r.Config
	var out []Fact
	add := func(name, value string, mono bool) {
		if value != "" {
			out = append(out, Fact{name, value, mono})
		}
	}
	add("Platform", r.Platform, false)
	add("Created", Absolute(c.Created, now), false)
	add("Author", c.Author, false)
	add("Entrypoint", words(c.Entrypoint), true)
	add("Command", words(c.Cmd), true)
	add("User", c.User, true)
	add("Folder", c.WorkingDir, true)
	add("Ports", strings.Join(c.Ports, ", "), true)
	add("Volumes", strings.Join(c.Volumes, ", "), true)
	for _, e := range c.Env {
		name, value, _ := strings.Cut(e, "=")
		add(name, value, true)
	}
	for _, k := range slices.Sorted(maps.Keys(c.Labels)) {
		add(k, c.Labels[k], true)
	}
	for _, k := range slices.Sorted(maps.Keys(r.Annotations)) {
		add(k, r.Annotations[k], true)
	}
	add("Media type", r.MediaType, true)
	return out
}

// words writes a command as a shell shows it, with quotes where it needs them.
func words(list []string) string {
	var out []string
	for _, w := range list {
		if w == "" || strings.ContainsAny(w, " \t\n\"'$&|;<>*?()") {
			w = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
		}
		out = append(out, w)
	}
	return strings.Join(out, " ")
}

func oneLine(s string) string { return strings.Join(strings.Fields(s), " ") }

// attachedKind names the artifact types that people meet.
func attachedKind(artifactType string) string {
	t := strings.ToLower(artifactType)
	for _, k := range []struct{ has, kind string }{
		{"cosign", "Signature"},
		{"signature", "Signature"},
		{"notary", "Signature"},
		{"sigstore", "Signature"},
		{"spdx", "SBOM"},
		{"cyclonedx", "SBOM"},
		{"syft", "SBOM"},
		{"sbom", "SBOM"},
		{"in-toto", "Attestation"},
		{"provenance", "Attestation"},
		{"slsa", "Attestation"},
	} {
		if strings.Contains(t, k.has) {
			return k.kind
		}
	}
	return "Artifact"
}
