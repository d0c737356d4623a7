package app

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"berth/registry"
	"berth/registry/verify"
)

const (
	verifyVersion = 1
	// recheckPace is how often what was found is looked at again, and
	// recheckTime for how long somebody waits for it.
	recheckPace = 2 * time.Second
	recheckTime = time.Second
)

// keptRun is berth/verify/checkpoint.json, keptFindings findings.json beside
// it. The second is written first: a finding too many is looked at again, one
// too few would be forgotten.
type keptRun struct {
	Version    int               `json:"version"`
	State      VerificationState `json:"state"`
	LookOnly   bool              `json:"look_only,omitempty"`
	Rate       int64             `json:"rate,omitempty"`
	Ended      time.Time         `json:"ended,omitzero"`
	Complete   bool              `json:"complete"`
	Checkpoint verify.Checkpoint `json:"checkpoint"`
}

type keptFindings struct {
	Version  int                           `json:"version"`
	Findings []kept                        `json:"findings"`
	More     more                          `json:"more,omitzero"`
	Aside    map[registry.Digest]time.Time `json:"aside,omitempty"`
}

func (c *Core) verifyFile(name string) string {
	if c.cfg.Storage.InMemory != nil {
		return ""
	}
	return filepath.Join(c.cfg.Data(), "berth", "verify", name)
}

// loadVerification reads the files once; it needs verifier.mu. What cannot be
// understood means that there never was a verification.
func (c *Core) loadVerification() {
	v := &c.verifier
	if v.loaded {
		return
	}
	v.loaded, v.state, v.aside = true, VerifyNever, map[registry.Digest]time.Time{}
	if c.verifyFile("") == "" {
		return
	}
	var run keptRun
	var found keptFindings
	err := errors.Join(readJSON(c.verifyFile("checkpoint.json"), &run), readJSON(c.verifyFile("findings.json"), &found))
	switch {
	case errors.Is(err, fs.ErrNotExist) && run.Version == 0 && found.Version == 0:
		return
	case err != nil || run.Version != verifyVersion || found.Version != verifyVersion:
		c.log.Warn("what the last verification found cannot be read: the next one begins anew", "error", err)
		return
	}
	v.state, v.lookOnly, v.ended, v.complete, v.at = run.State, run.LookOnly, run.Ended, run.Complete, run.Checkpoint
	v.rate.Store(run.Rate)
	if v.state == VerifyRunning {
		v.state, v.interrupted = VerifyPaused, true
	}
	v.findings, v.more = found.Findings, found.More
	if found.Aside != nil {
		v.aside = found.Aside
	}
}

func readJSON(path string, into any) error {
	b, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	return json.Unmarshal(b, into)
}

// saveVerification writes what changed. That it cannot is no reason to stop.
func (c *Core) saveVerification() {
	if c.verifyFile("") == "" || c.lock.ReadOnly() {
		return
	}
	v := &c.verifier
	v.saving.Lock()
	defer v.saving.Unlock()
	v.mu.Lock()
	run := keptRun{verifyVersion, v.state, v.lookOnly, v.rate.Load(), v.ended, v.complete, v.at}
	if v.interrupted {
		run.State = VerifyRunning
	}
	var findings []byte
	err := error(nil)
	if v.changed {
		findings, err = json.Marshal(keptFindings{verifyVersion, v.findings, v.more, v.aside})
	}
	v.changed, v.saved = false, time.Now()
	v.mu.Unlock()
	if err == nil && findings != nil {
		err = replaceFile(c.verifyFile("findings.json"), findings)
	}
	checkpoint, merr := json.Marshal(run)
	if err = errors.Join(err, merr); err == nil {
		err = replaceFile(c.verifyFile("checkpoint.json"), checkpoint)
	}
	if err != nil {
		v.mu.Lock()
		v.changed = true
		v.mu.Unlock()
		c.log.Warn("how far the verification is cannot be kept", "error", err)
	}
}

// replaceFile writes a file whole or not at all, making its folder.
func replaceFile(path string, content []byte) (err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+"-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			_ = os.Remove(f.Name())
		}
	}()
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return err
	}
	return os.Rename(f.Name(), path)
}

// findingID is the same for the same finding, in each verification.
func findingID(f verify.Finding) string {
	tag := ""
	if f.Kind == verify.TagDangling || f.Link == registry.RawHistory {
		tag = f.Tag
	}
	var b bytes.Buffer
	for _, part := range []string{string(f.Kind), f.Repository, tag, string(f.Manifest), string(f.Digest), string(f.Link)} {
		b.WriteString(part)
		b.WriteByte(0)
	}
	if f.Kind == verify.Unlisted {
		b.WriteString(f.Text)
	}
	sum := sha256.Sum256(b.Bytes())
	return hex.EncodeToString(sum[:5])
}

// recheck looks whether what was found stands still: a push may have mended it,
// or a delete taken it away. It does so now and then only, and not for long.
func (c *Core) recheck(ctx context.Context) {
	v := &c.verifier
	now := time.Now().UnixNano()
	if last := v.checked.Load(); now-last < int64(recheckPace) || !v.checked.CompareAndSwap(last, now) {
		return
	}
	v.mu.Lock()
	c.loadVerification()
	findings := slices.Clone(v.findings)
	v.mu.Unlock()
	if len(findings) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, recheckTime)
	defer cancel()
	if c.reconsider(ctx, findings, false) {
		c.notify(Notice{Kind: NoticeUpkeep})
		c.notify(Notice{Kind: NoticeStatus})
	}
}

// reconsider checks findings, and forgets those that do not stand any more.
func (c *Core) reconsider(ctx context.Context, findings []kept, read bool) (changed bool) {
	bare := make([]verify.Finding, len(findings))
	for i, k := range findings {
		bare[i] = k.Finding
	}
	o := verify.Options{Rate: -1, Optional: optionalChildren(c.cfg.Validation)}
	gone := map[string]bool{}
	for at := 0; at < len(bare); at += 100 { // in parts, since ctx may end
		end := min(at+100, len(bare))
		still, err := verify.Check(ctx, c.disk, o, bare[at:end], read)
		if err != nil {
			break
		}
		stands := map[string]bool{}
		for _, f := range still {
			stands[place(f)] = true
		}
		for _, k := range findings[at:end] {
			if !stands[place(k.Finding)] {
				gone[k.ID] = true
			}
		}
	}
	return c.forgetFindings(gone)
}

// place is what a finding keeps when it is looked at again: which of several
// ways its content is lost may change.
func place(f verify.Finding) string {
	return f.Repository + "\x00" + f.Tag + "\x00" + string(f.Manifest) + "\x00" + string(f.Digest) + "\x00" + string(f.Link)
}

// forgetFindings drops findings by their ids.
func (c *Core) forgetFindings(gone map[string]bool) (changed bool) {
	if len(gone) == 0 {
		return false
	}
	v := &c.verifier
	v.mu.Lock()
	before := len(v.findings)
	v.findings = slices.DeleteFunc(v.findings, func(k kept) bool { return gone[k.ID] })
	changed = len(v.findings) != before
	v.changed = v.changed || changed
	running := v.job != ""
	v.mu.Unlock()
	if changed && !running {
		c.saveVerification()
	}
	return changed
}
