package fire

import (
	"fmt"
	"math"
	"sync"
	"testing"
	"time"

	"github.com/anishathalye/porcupine"
)

// verb is what was asked of one thing: a tag, a manifest or a blob.
type verb string

const (
	put  verb = "put"  // value is there then
	get  verb = "get"  // value is what was seen, or nothing
	drop verb = "drop" // whatever is there goes
	cut  verb = "cut"  // a tag goes if it names value
	see  verb = "see"  // how it was when everything was quiet
)

// What came back.
const (
	done    = "done"
	missing = "missing"
	unknown = "unknown" // the answer was lost: it happened then, or later, or not at all
	never   = "never"   // it did not happen
)

type question struct {
	verb  verb
	thing string
	value string
}

// history is what clients asked and were told since the last quiet moment.
type history struct {
	mu    sync.Mutex // guards what follows
	start time.Time
	ops   map[string][]porcupine.Operation // by thing
	last  map[string]string                // how each was at the last quiet moment
}

func newHistory() *history {
	return &history{start: time.Now(), ops: map[string][]porcupine.Operation{}, last: map[string]string{}}
}

func (h *history) now() int64 { return int64(time.Since(h.start)) }

// note keeps one operation; began is what now gave before it.
func (h *history) note(client int, began int64, q question, answer string) {
	ended := h.now()
	if answer == never {
		return
	}
	if answer == unknown {
		if q.verb == get {
			return
		}
		ended = math.MaxInt64
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	h.ops[q.thing] = append(h.ops[q.thing], porcupine.Operation{ClientId: client, Input: q, Call: began, Output: answer, Return: ended})
}

// register is one thing: a value, or nothing.
var register = porcupine.Model{
	Init: func() any { return "" },
	Step: func(state, input, output any) (bool, any) {
		was, q, answer := state.(string), input.(question), output.(string)
		switch q.verb {
		case put:
			return true, q.value
		case get, see:
			return was == q.value, was
		case cut:
			if answer == missing {
				return was != q.value, was
			}
			if was == q.value {
				return true, ""
			}
			return true, was
		default:
			switch answer {
			case missing:
				return was == "", ""
			case done:
				return was != "", ""
			}
			return true, ""
		}
	},
	DescribeOperation: func(input, output any) string {
		q := input.(question)
		return fmt.Sprintf("%s %.20s: %s", q.verb, q.value, output)
	},
}

// judge checks everything that was noted, and begins anew.
func (h *history) judge(t *testing.T, seed uint64) (ops int) {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	for thing, list := range h.ops {
		ops += len(list)
		first := porcupine.Operation{Input: question{put, thing, h.last[thing]}, Output: done, Call: -2, Return: -1}
		switch porcupine.CheckOperationsTimeout(register, append(list, first), 20*time.Second) {
		case porcupine.Illegal:
			t.Errorf("seed %d: the history of %s is not linearizable; it began with %q:\n%s", seed, thing, h.last[thing], h.tell(list))
		case porcupine.Unknown:
			t.Logf("seed %d: %d operations on %s were too many to judge", seed, len(list), thing)
		case porcupine.Ok:
		}
	}
	h.start = time.Now()
	h.ops = map[string][]porcupine.Operation{}
	return ops
}

// tell writes the end of a history, for who must find out what went wrong.
func (h *history) tell(list []porcupine.Operation) string {
	var out string
	for _, op := range list[max(0, len(list)-60):] {
		q := op.Input.(question)
		out += fmt.Sprintf("\t%9.3f–%9.3f ms  client %2d  %s %.25s: %s\n", float64(op.Call)/1e6, float64(op.Return)/1e6, op.ClientId, q.verb, q.value, op.Output)
	}
	return out
}
