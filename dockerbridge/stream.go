package dockerbridge

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"berth/registry"
)

// maxLine bounds one message of an engine's stream: it is a line of status.
const maxLine = 1 << 20

// maxLayers bounds what a stream can make us remember; an image has 127 at most.
const maxLayers = 4096

// maxSize bounds what is believed of a layer's size, so that sums stay sums.
const maxSize = 1 << 50

// progressInterval is how often bytes alone are reported.
const progressInterval = 100 * time.Millisecond

// message is one line of the stream that a push or a pull answers with.
type message struct {
	ID     string `json:"id"`
	Status string `json:"status"`
	Detail struct {
		Current int64 `json:"current"`
		Total   int64 `json:"total"`
	} `json:"progressDetail"`
	Error       string `json:"error"`
	ErrorDetail struct {
		Message string `json:"message"`
	} `json:"errorDetail"`
	Aux json.RawMessage `json:"aux"`
}

// outcome is what the aux messages of a push say.
type outcome struct {
	Digest  registry.Digest `json:"Digest"`
	Size    int64           `json:"Size"`
	Partial bool            `json:"manifestPushedInsteadOfIndex"`
}

// stream follows a push or a pull.
type stream struct {
	layers []Layer
	index  map[string]int
	// sizes are those of layers that the engine has not begun with.
	sizes   map[string]int64
	note    string
	result  outcome
	report  func(Progress)
	now     func() time.Time
	reportd time.Time
}

func newStream(note string, sizes map[string]int64, report func(Progress)) *stream {
	if report == nil {
		report = func(Progress) {}
	}
	return &stream{index: map[string]int{}, sizes: sizes, note: note, report: report, now: time.Now}
}

// follow reads r to its end. It fails with what the engine reports, and when
// a line is no message.
func (s *stream) follow(r io.Reader) error {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, 4096), maxLine)
	for lines.Scan() {
		line := strings.TrimSpace(lines.Text())
		if line == "" {
			continue
		}
		var m message
		if err := json.Unmarshal([]byte(line), &m); err != nil {
			return fmt.Errorf("read the engine's progress: %w", err)
		}
		if text := cmpOr(m.ErrorDetail.Message, m.Error); text != "" {
			s.emit(true)
			return errors.New(text)
		}
		s.emit(s.apply(m))
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("read the engine's progress: %w", err)
	}
	s.emit(true)
	return nil
}

func cmpOr(a, b string) string {
	if a != "" {
		return a
	}
	return b
}

// apply takes one message in, and says whether more than bytes changed.
func (s *stream) apply(m message) bool {
	if len(m.Aux) > 0 {
		s.aux(m.Aux)
		return false
	}
	state, full, known := stateOf(m.Status)
	if m.ID == "" || !known {
		s.digestIn(m.Status)
		return false
	}
	l := s.layer(m.ID)
	if l == nil {
		return false
	}
	changed := l.State != state
	l.State = state
	// While it unpacks, an engine counts the same bytes a second time.
	if state == LayerActive && !full {
		if m.Detail.Total > 0 {
			l.Total = min(m.Detail.Total, maxSize)
		}
		l.Done = max(l.Done, min(m.Detail.Current, maxSize))
		if l.Total > 0 {
			// A tar is a little larger than the files in it, which is what
			// the engine gives as the total.
			l.Done = min(l.Done, l.Total)
		}
	}
	if full && l.Total > 0 {
		l.Done = l.Total
	} else if full {
		l.Total = l.Done
	}
	return changed
}

func (s *stream) layer(id string) *Layer {
	i, ok := s.index[id]
	if !ok {
		if len(s.layers) >= maxLayers {
			return nil
		}
		i = len(s.layers)
		s.index[id] = i
		s.layers = append(s.layers, Layer{ID: id, Total: s.sizes[id]})
	}
	return &s.layers[i]
}

// stateOf reads the words of Docker and Podman. Full means: all of its bytes
// have been moved.
func stateOf(status string) (state LayerState, full, known bool) {
	switch {
	case status == "Preparing", status == "Waiting", status == "Pulling fs layer", strings.HasPrefix(status, "Retrying"):
		return LayerWaiting, false, true
	case status == "Pushing", status == "Downloading", strings.HasPrefix(status, "Copying blob"):
		return LayerActive, false, true
	case status == "Verifying Checksum", status == "Download complete", status == "Extracting":
		return LayerActive, true, true
	case status == "Pushed", status == "Pull complete":
		return LayerDone, true, true
	case status == "Layer already exists", status == "Already exists", strings.HasPrefix(status, "Skipped"):
		return LayerExists, false, true
	case strings.HasPrefix(status, "Mounted from"):
		return LayerMounted, false, true
	}
	return "", false, false
}

// aux merges what one aux message says: with images in containerd there are
// several, and only one has the digest.
func (s *stream) aux(raw json.RawMessage) {
	var o outcome
	if json.Unmarshal(raw, &o) != nil {
		return
	}
	if d, err := registry.ParseDigest(string(o.Digest)); err == nil {
		s.result.Digest, s.result.Size = d, max(o.Size, 0)
	}
	s.result.Partial = s.result.Partial || o.Partial
}

// digestIn reads "v1: digest: sha256:… size: 740", for an engine that sends no
// aux message.
func (s *stream) digestIn(status string) {
	_, rest, ok := strings.Cut(status, "digest: ")
	if !ok || s.result.Digest != "" {
		return
	}
	word, _, _ := strings.Cut(rest, " ")
	if d, err := registry.ParseDigest(word); err == nil {
		s.result.Digest = d
	}
}

func (s *stream) emit(now bool) {
	t := s.now()
	if !now && t.Sub(s.reportd) < progressInterval {
		return
	}
	s.reportd = t
	s.report(s.progress())
}

// progress sums up the layers that have to be moved.
func (s *stream) progress() Progress {
	p := Progress{Layers: slices.Clone(s.layers), Note: s.note}
	known := true
	for _, l := range s.layers {
		if l.State == LayerExists || l.State == LayerMounted {
			continue
		}
		if l.Total <= 0 && l.State != LayerDone {
			known = false
		}
		p.Done += l.Done
		p.Total += l.Total
	}
	if !known || len(s.layers) == 0 {
		p.Total = 0
	}
	return p
}
