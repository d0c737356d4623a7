package filesystem

import (
	"strings"

	"berth/registry/driver/filesystem/internal/journal"
)

// outcome is what a row of records leaves: a tree by the parts of keys. It is
// worked out first, so that a key that was changed a thousand times is looked
// at once, and no state in between ever comes to the disk.
type outcome struct {
	children map[string]*outcome
	kind     outcomeKind
	// emptied: what was below when the records began is deleted, too.
	emptied bool
	// number of the record that decided, for the order of the plan.
	number  uint64
	content []byte // of laid
	// Of moved: the file, and the keys at which it may be.
	source identity
	stops  []string
}

type outcomeKind byte

const (
	// untouched by any record, or taken over by a writer.
	untouched outcomeKind = iota
	laid                  // holds content
	moved                 // is a file that was written past the journal
	cleared               // is not there
)

func (o *outcome) at(key string) *outcome {
	for part := range strings.SplitSeq(key, "/") {
		child := o.children[part]
		if child == nil {
			child = &outcome{}
			if o.children == nil {
				o.children = map[string]*outcome{}
			}
			o.children[part] = child
		}
		o = child
	}
	return o
}

// find gives nil for a key that no record is about.
func (o *outcome) find(key string) *outcome {
	for part := range strings.SplitSeq(key, "/") {
		if o = o.children[part]; o == nil {
			return nil
		}
	}
	return o
}

// settle decides what is at a key, but not what is below it.
func (o *outcome) settle(to outcome) {
	to.children, to.emptied = o.children, o.emptied
	*o = to
}

func (o *outcome) add(number uint64, s step) {
	at := o.at(s.key)
	switch s.op {
	case opPut:
		at.settle(outcome{kind: laid, content: s.content, number: number})
	case opKeep:
		at.settle(outcome{kind: untouched, number: number})
	case opDelete:
		*at = outcome{kind: cleared, emptied: true, number: number}
	case opMove:
		file := *at
		if file.kind != laid && file.kind != moved {
			file = outcome{kind: moved, source: s.source, stops: []string{s.key}}
		} else if s.source != (identity{}) {
			file.source = s.source // as it was seen last
		}
		file.number = number
		file.stops = append(file.stops[:len(file.stops):len(file.stops)], s.to)
		if s.key != s.to {
			at.settle(outcome{kind: cleared, number: number})
		}
		o.at(s.to).settle(file)
	}
}

// outcomeOf works out what the records behind a number leave.
func outcomeOf(frames []journal.Frame, behind uint64) (*outcome, error) {
	root := &outcome{}
	for _, f := range frames {
		if f.Number <= behind {
			continue
		}
		all, err := decode(f.Payload)
		if err != nil {
			return nil, err
		}
		if f.Aborted {
			all = all[:min(f.Kept, len(all))]
		}
		for _, s := range all {
			root.add(f.Number, s)
		}
	}
	return root, nil
}

// each calls do for what is decided, folders before what is in them.
func (o *outcome) each(key string, do func(key string, o *outcome) error) error {
	for part, child := range o.children {
		below := part
		if key != "" {
			below = key + "/" + part
		}
		if child.kind != untouched {
			if err := do(below, child); err != nil {
				return err
			}
		}
		if err := child.each(below, do); err != nil {
			return err
		}
	}
	return nil
}
