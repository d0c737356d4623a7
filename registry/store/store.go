package store

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"iter"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"berth/registry"
	"berth/registry/driver"
	"berth/registry/index"
)

// DefaultGrace is for how long a blob that was promised to a client is kept.
const DefaultGrace = time.Hour

// Options of a store. The zero value is right for one process on one folder.
type Options struct {
	// Grace is for how long a blob that was promised to a client cannot be
	// swept; also, nothing is swept before the store has been open that long,
	// since promises are in memory, unless the one before was closed in order
	// and left them in writing. 0 means [DefaultGrace]; -1, none; see also
	// [InFlight].
	Grace time.Duration
	// Cache bounds the memory that holds manifests, small blobs, what tags name
	// and pages of lists, in bytes. 0 means 16 MiB; negative, none.
	Cache int64
	// Park is for how long an upload that was closed stays open in memory, so
	// that going on with it costs nothing. 0 means 15 seconds; negative, none:
	// every Close puts everything on disk, for several instances on one storage.
	Park time.Duration
	// Optional says which children of an index need not be in the repository
	// when it is pushed; nil means that all must.
	Optional func(child registry.Descriptor) bool
	// Roots gives what holds manifests beside tags, such as the trash: the index
	// is compared with it. Whoever changes it tells the index himself. nil means
	// that there is nothing.
	Roots func(ctx context.Context) iter.Seq2[index.Root, error]
	// Logger tells what happens in the background; nil discards.
	Logger *slog.Logger
}

// Store is a registry on a driver. It is safe for concurrent use. Content that
// it hands out must not be modified.
//
// An unknown repository is reported as distribution does: a read of a blob or
// a manifest in it gives ErrBlobUnknown or ErrManifestUnknown, a list of its
// tags ErrNameUnknown.
type Store struct {
	drv driver.Driver
	ix  index.Index // nil: everything from the disk
	log *slog.Logger
	opt Options

	opened  time.Time
	gate    gate
	locks   locks // by repository
	tags    locks // by repository:tag
	flights locks // by key of a blob or a link
	// inherited: what was promised before the start is known.
	inherited bool
	leases    *leases
	sessions  *sessions
	cache     *cache
	pages     *pages
	known     known
	censuses  *censuses
	torn      truncated
	changes   changes
	beside    besides

	trusted    atomic.Bool   // the index may answer lists
	doubts     chan struct{} // capacity 1: reconcile again
	reconciled chan struct{} // closed when the index reflected the disk once
	stop       context.CancelFunc
	background sync.WaitGroup // reconciliation
}

var (
	_ registry.Registry  = (*Store)(nil)
	_ registry.Keeper    = (*Store)(nil)
	_ registry.Inspector = (*Store)(nil)
)

// Open opens the store on drv. ix may be nil: then every list is read from the
// disk. With an index, its reconciliation with the disk begins in the
// background and runs until done or Close; ctx bounds only Open itself. The
// caller keeps drv and ix, and closes them after the store.
func Open(ctx context.Context, drv driver.Driver, ix index.Index, o Options) (*Store, error) {
	if o.Grace == 0 {
		o.Grace = DefaultGrace
	}
	if o.Cache == 0 {
		o.Cache = 16 << 20
	}
	if o.Park == 0 {
		o.Park = 15 * time.Second
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Store{
		drv: drv, ix: ix, log: o.Logger, opt: o, opened: time.Now(),
		sessions: newSessions(), cache: newCache(o.Cache), pages: newPages(o.Cache), censuses: newCensuses(),
		doubts: make(chan struct{}, 1), reconciled: make(chan struct{}), stop: func() {},
	}
	s.leases = newLeases(o.Grace, s.sessions.pushing)
	s.inherited = s.inherit(ctx)
	if ix == nil {
		close(s.reconciled)
		return s, nil
	}
	complete, err := ix.Complete(ctx)
	if err != nil {
		return nil, fmt.Errorf("open the index: %w", err)
	}
	s.trusted.Store(complete && !ix.Lost())
	run, stop := context.WithCancel(context.WithoutCancel(ctx))
	s.stop = stop
	s.background.Go(func() { s.reconcileLoop(run) })
	return s, nil
}

// Close ends the background work, and puts on disk what is needed to go on
// with the uploads that are waiting. Uploads that are still held must be closed
// by their holders first.
func (s *Store) Close() error {
	s.stop()
	s.background.Wait()
	err := s.closeSessions()
	if e := s.leave(context.Background()); e != nil {
		s.log.Warn("a clean-up after the next start waits for the grace", "error", e)
	}
	return err
}

// OpenUploads counts the uploads that are being written, or that were within
// the last two seconds: what a stop should wait for.
func (s *Store) OpenUploads() int { return s.sessions.count() }

// Reconciled is closed once the index has reflected the whole disk since Open;
// at once when there is no index.
func (s *Store) Reconciled() <-chan struct{} { return s.reconciled }

// check is how every method begins.
func check(ctx context.Context, repo string, digests ...registry.Digest) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	if err := registry.ParseName(repo); err != nil {
		return err
	}
	for _, d := range digests {
		if _, err := registry.ParseDigest(d.String()); err != nil {
			return err
		}
	}
	return nil
}

// missing reports whether err means that a thing is not there, or is there but
// of no use.
func missing(err error) bool {
	return errors.Is(err, fs.ErrNotExist) || errors.Is(err, errDamaged)
}

// read gives a whole small file; one that is larger than limit is damaged.
func (s *Store) read(ctx context.Context, key string, limit int64) ([]byte, error) {
	f, err := s.drv.Open(ctx, key)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	b, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%s is larger than %d bytes: %w", key, limit, errDamaged)
	}
	return b, nil
}

// readLink gives the digest in a link.
func (s *Store) readLink(ctx context.Context, key string) (registry.Digest, error) {
	b, err := s.read(ctx, key, 256)
	if err != nil {
		return "", err
	}
	d, err := parseLink(b)
	if err != nil {
		return "", fmt.Errorf("link %s: %w", key, err)
	}
	return d, nil
}

// exists reports whether there is a file or a folder.
func (s *Store) exists(ctx context.Context, key string) (bool, error) {
	_, err := s.drv.Stat(ctx, key)
	if missing(err) {
		return false, nil
	}
	return err == nil, err
}

// remove deletes a file or a folder; one that is not there is no error.
func (s *Store) remove(ctx context.Context, key string) error {
	if err := s.drv.Delete(ctx, key); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// tell brings a change that is on disk to the index, and to a reconciliation
// that is under way. The caller holds the lock of the repository.
func (s *Store) tell(ctx context.Context, repo string, changes ...index.Change) {
	s.known.add(repo)
	if s.ix == nil {
		return
	}
	s.changes.note(repo, changes)
	if err := s.ix.Apply(context.WithoutCancel(ctx), changes...); err != nil {
		s.log.Warn("index is behind, lists come from the disk", "repository", repo, "error", err)
		s.doubt()
	}
	s.pages.note(changes)
}
