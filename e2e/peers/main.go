//go:build linux

package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// options are the flags, and the folder that everything is in.
type options struct {
	only, servers  string
	rounds         int
	window         time.Duration
	json, markdown string
	check          bool
	growth         string
	uploads        bool
	keep           bool
	temp, scratch  string
	programs       programs
	out            io.Writer
}

func main() {
	if len(os.Args) == 4 && os.Args[1] == "limit" {
		exit(runLimit(os.Args[2], os.Args[3]))
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, flags())
	stop()
	exit(err)
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "peers:", err)
		os.Exit(1)
	}
	os.Exit(0)
}

func flags() *options {
	o := &options{out: os.Stdout}
	flag.StringVar(&o.only, "only", "", "workloads, by the beginnings of their keys, with commas: push,pull-1")
	flag.StringVar(&o.servers, "servers", "", "servers, with commas: berth,limit,nginx,v3,v2")
	flag.IntVar(&o.rounds, "rounds", 5, "rounds of each workload")
	flag.DurationVar(&o.window, "window", 600*time.Millisecond, "length of a round")
	flag.StringVar(&o.json, "json", "", "file for all samples")
	flag.StringVar(&o.markdown, "markdown", "", "document whose table is replaced, by a run of everything")
	flag.BoolVar(&o.check, "check", false, "say which goals hold")
	flag.StringVar(&o.growth, "growth", "", "Berth alone, with so many repositories each: 100,10000,100000")
	flag.BoolVar(&o.uploads, "uploads", false, "eight layers of 2 GiB at once, and what memory they take")
	flag.BoolVar(&o.keep, "keep", false, "leave the files of the run")
	flag.StringVar(&o.temp, "temp", "", "folder on a real disk for the files of the run")
	flag.StringVar(&o.programs.berth, "berth", "bin/berth-headless", "the headless program")
	flag.StringVar(&o.programs.distribution, "v3", ".tools/peers/registry", "registry of distribution v3")
	flag.StringVar(&o.programs.debian, "v2", "docker-registry", "Debian's registry of distribution 2.8.2")
	flag.StringVar(&o.programs.nginx, "nginx", "nginx", "nginx")
	flag.Parse()
	return o
}

// run measures. Files are removed at the very end only: removing many makes
// ext4 slow for a while.
func run(ctx context.Context, o *options) (err error) {
	if err := o.find(); err != nil {
		return err
	}
	temp, err := realDisk(o.temp)
	if err != nil {
		return err
	}
	if o.scratch, err = os.MkdirTemp(temp, "berth-peers-"); err != nil {
		return err
	}
	if o.keep {
		fmt.Fprintln(os.Stderr, "peers: files are in", o.scratch)
	} else {
		defer func() { err = errors.Join(err, removeAll(o.scratch)) }()
	}
	peers, err := o.chosen()
	if err != nil {
		return err
	}
	defer func() {
		for _, p := range peers {
			p.stop()
		}
	}()
	b, err := o.open(peers)
	if err != nil {
		return err
	}
	rows, err := b.measure(ctx, peers)
	return errors.Join(err, o.report(ctx, peers, rows))
}

// removeAll removes the folders of the servers beside each other.
func removeAll(dir string) error {
	entries, err := os.ReadDir(dir)
	failed := make([]error, len(entries))
	var group sync.WaitGroup
	for i, e := range entries {
		group.Go(func() { failed[i] = os.RemoveAll(filepath.Join(dir, e.Name())) })
	}
	group.Wait()
	return errors.Join(err, errors.Join(failed...), os.RemoveAll(dir))
}

// find makes the paths of the programs absolute, since each runs in a folder
// of its own.
func (o *options) find() error {
	for _, p := range []*string{&o.programs.berth, &o.programs.distribution} {
		abs, err := filepath.Abs(*p)
		if err != nil {
			return err
		}
		*p = abs
	}
	o.programs.debian = installed(o.programs.debian, "/usr/bin")
	o.programs.nginx = installed(o.programs.nginx, "/usr/sbin")
	return nil
}

// installed finds a program of a package: in its folder, or where scripts/setup
// puts it.
func installed(program, folder string) string {
	for _, dir := range []string{folder, ".tools"} {
		abs, err := filepath.Abs(filepath.Join(dir, program))
		if err != nil {
			continue
		}
		if _, err := os.Stat(abs); err == nil {
			return abs
		}
	}
	return program
}

// realDisk gives a folder that is not in memory.
func realDisk(named string) (string, error) {
	candidates := []string{os.TempDir(), "/var/tmp", "."}
	if named != "" {
		candidates = []string{named}
	}
	for _, dir := range candidates {
		var s unix.Statfs_t
		if unix.Statfs(dir, &s) == nil && s.Type != unix.TMPFS_MAGIC {
			return filepath.Abs(dir)
		}
	}
	return "", fmt.Errorf("%s is in memory: nothing is durable there", strings.Join(candidates, ", "))
}

// chosen are the servers of this run.
func (o *options) chosen() ([]*peer, error) {
	all := o.peers()
	if o.growth != "" {
		return o.growing()
	}
	if o.uploads {
		return all[:1], nil
	}
	if o.servers == "" {
		return all, nil
	}
	return slices.DeleteFunc(all, func(p *peer) bool { return !slices.Contains(strings.Split(o.servers, ","), p.name) }), nil
}

// growing are several Berths with different numbers of repositories.
func (o *options) growing() ([]*peer, error) {
	var all []*peer
	for text := range strings.SplitSeq(o.growth, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 8 {
			return nil, fmt.Errorf("-growth: %q is no number of repositories", text)
		}
		p := o.peers()[0]
		p.label, p.repos = number(float64(n))+" repositories", n
		all = append(all, p)
	}
	return all, nil
}

// open fills the folders, starts the servers and waits until all are at rest.
func (o *options) open(peers []*peer) (*bench, error) {
	b, err := newBench(o, newContent(), peers)
	if err != nil {
		return nil, err
	}
	full := slices.ContainsFunc(b.workloads(), func(w workload) bool { return o.wants(w.key) && !w.alone })
	for i, p := range peers {
		p.dir = filepath.Join(o.scratch, fmt.Sprint(i, "-", p.name))
		p.data = filepath.Join(p.dir, "data")
		if err := os.MkdirAll(filepath.Join(p.data, "docker"), 0o755); err != nil {
			return nil, err
		}
		if p.addr, err = freeAddress(); err != nil {
			return nil, err
		}
		begin := time.Now()
		if full {
			err = b.fill(p, peers[0])
		}
		if err == nil {
			err = p.start()
		}
		if err == nil && p.referrer && full {
			err = b.pushReferrers(p)
		}
		if err == nil {
			err = p.settle()
		}
		if err != nil {
			return nil, fmt.Errorf("prepare %s: %w", p.label, err)
		}
		fmt.Fprintf(os.Stderr, "peers: %s was filled and started in %.1f s\n", p.label, time.Since(begin).Seconds())
	}
	return b, nil
}

// fill makes the store of a server; the limit repeats what a registry answers.
func (b *bench) fill(p, registry *peer) error {
	switch {
	case p.name == "limit" && registry.registry:
		return record(registry, p.data, b.recorded())
	case p.name == "limit":
		return nil
	case p.name == "nginx":
		d := newDisk(p.data)
		d.blob(b.c.layer, b.c.layerBytes)
		return d.err
	}
	return b.c.seed(p.data, p.repos)
}
