package fire

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"runtime"
	"sync"
	"testing"
	"time"
)

const hello = "GET /v2/ HTTP/1.1\r\nHost: localhost\r\n\r\n"

// greet asks once on a connection that stays, and reads the answer.
func greet(conn net.Conn) error {
	if err := conn.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, hello); err != nil {
		return err
	}
	answer, err := http.ReadResponse(bufio.NewReaderSize(conn, 512), nil)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, answer.Body)
	return err
}

// idle opens connections that were used once and then wait.
func idle(t testing.TB, addr string, n int) []net.Conn {
	t.Helper()
	conns := make([]net.Conn, n)
	var wg sync.WaitGroup
	for worker := range 16 {
		wg.Go(func() {
			for i := worker; i < n; i += 16 {
				conn, err := net.Dial("tcp", addr)
				if err == nil {
					conns[i] = conn
					err = greet(conn)
				}
				if err != nil {
					t.Errorf("connection %d: %v", i, err)
					return
				}
			}
		})
	}
	wg.Wait()
	t.Cleanup(func() {
		for _, conn := range conns {
			if conn != nil {
				_ = conn.Close()
			}
		}
	})
	return conns
}

func inUse() uint64 {
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapInuse + m.StackInuse
}

// TestFireIdleConnectionsCostLittleAndAreAnswered holds connections that do
// nothing while others work; each is answered afterwards.
func TestFireIdleConnectionsCostLittleAndAreAnswered(t *testing.T) {
	t.Parallel()
	const n = 400
	w := &world{s: newStack(t), h: newHistory(), seed: 3}
	c := w.client(t, 0)
	base := c.prepare(churned)
	conns := idle(t, w.s.addr, n)
	if t.Failed() {
		return
	}
	var slowest time.Duration
	for range 20 {
		began := time.Now()
		content, _ := c.image(base, nil)
		c.putManifest(churned, "v1", content)
		c.getTag(churned, "v1")
		slowest = max(slowest, time.Since(began))
	}
	t.Logf("slowest push and pull beside %d idle connections: %s", n, slowest)
	w.h.judge(t, w.seed)
	for i, conn := range conns {
		if err := greet(conn); err != nil {
			t.Fatalf("connection %d after it was idle: %v", i, err)
		}
	}
}

// BenchmarkIdleConnections holds 5,000 connections, and says what each takes
// of this process, which has both ends, and how long a request takes beside them.
func BenchmarkIdleConnections(b *testing.B) {
	const n = 5000
	s := newStack(b)
	if err := greet(idle(b, s.addr, 1)[0]); err != nil {
		b.Fatal(err)
	}
	before := inUse()
	conns := idle(b, s.addr, n)
	taken := inUse() - before
	one := idle(b, s.addr, 1)[0]
	for b.Loop() {
		if err := greet(one); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(taken)/1024/float64(n), "KiB/conn")
	runtime.KeepAlive(conns)
}
