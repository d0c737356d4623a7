//go:build e2e

package e2e

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"
)

// BenchmarkColdStart measures from exec to the first 200 of the registry.
func BenchmarkColdStart(b *testing.B) {
	address := freeAddress(b)
	quick := http.Client{Timeout: time.Second, Transport: &http.Transport{DisableKeepAlives: true}}
	for b.Loop() {
		b.StopTimer()
		data := b.TempDir()
		b.StartTimer()
		proc, err := start("berth", nil, headless(), "serve", "--addr", address, "--data", data)
		if err != nil {
			b.Fatal(err)
		}
		for end := time.Now().Add(10 * time.Second); ; time.Sleep(200 * time.Microsecond) {
			if answer, err := quick.Get("http://" + address + "/v2/"); err == nil {
				if err := answer.Body.Close(); err != nil || answer.StatusCode != http.StatusOK {
					b.Fatalf("%d, %v", answer.StatusCode, err)
				}
				break
			}
			if time.Now().After(end) {
				b.Fatalf("no answer: %s", proc.tail())
			}
		}
		b.StopTimer()
		proc.end()
		b.StartTimer()
	}
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return l.Addr().String()
}

// BenchmarkIdleMemory measures what an idle instance holds, in each of its
// forms, ten seconds after its start, and what it uses of a core meanwhile.
func BenchmarkIdleMemory(b *testing.B) {
	b.Run("serve", func(b *testing.B) {
		measure(b, nil, headless(), "serve")
	})
	b.Run("background", func(b *testing.B) {
		d := newDesktop(b, "1280x800")
		measure(b, d.env, windowed(), "--background")
	})
	b.Run("window", func(b *testing.B) {
		d := newDesktop(b, "1280x800")
		measure(b, d.env, windowed())
	})
}

func measure(b *testing.B, env []string, command ...string) {
	b.Helper()
	var memory, busy float64
	for b.Loop() {
		proc, err := start("berth", env, append(command, "--addr", "127.0.0.1:0", "--data", b.TempDir())...)
		if err != nil {
			b.Fatal(err)
		}
		time.Sleep(5 * time.Second)
		before := ticks(b, proc)
		time.Sleep(5 * time.Second)
		busy += float64(ticks(b, proc)-before) / 5
		memory += float64(resident(b, proc)) / 1e6
		proc.end()
	}
	b.ReportMetric(memory/float64(b.N), "MB")
	// A tick is a hundredth of a second, so ticks a second are percents.
	b.ReportMetric(busy/float64(b.N), "%core")
	b.ReportMetric(0, "ns/op")
}

// resident gives the proportional set size in bytes: shared pages of libraries
// count for a part only.
func resident(t testing.TB, p *process) int64 {
	t.Helper()
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/smaps_rollup", p.cmd.Process.Pid))
	if err != nil {
		t.Fatalf("the instance has ended: %v: %s", err, p.tail())
	}
	for line := range strings.Lines(string(content)) {
		if f := strings.Fields(line); len(f) == 3 && f[0] == "Pss:" {
			kb, err := strconv.ParseInt(f[1], 10, 64)
			if err != nil {
				t.Fatal(err)
			}
			return kb << 10
		}
	}
	t.Fatal("no Pss in smaps_rollup")
	return 0
}

// ticks gives the processor time that a process has used.
func ticks(t testing.TB, p *process) int64 {
	t.Helper()
	content, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.cmd.Process.Pid))
	if err != nil {
		t.Fatalf("the instance has ended: %v: %s", err, p.tail())
	}
	// Fields 14 and 15, counted from the name, which stands in brackets.
	_, rest, _ := strings.Cut(string(content), ") ")
	f := strings.Fields(rest)
	var sum int64
	for _, i := range []int{11, 12} {
		n, err := strconv.ParseInt(f[i], 10, 64)
		if err != nil {
			t.Fatal(err)
		}
		sum += n
	}
	return sum
}
