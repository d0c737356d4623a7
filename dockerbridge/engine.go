package dockerbridge

import (
	"context"
	"io"
	"iter"
	"time"

	"berth/registry"
)

// Engine is a container engine that answers. Its methods are safe for
// concurrent use; every error is an [*Error]. [Open] gives one.
type Engine interface {
	// Info says which engine this is.
	Info(ctx context.Context) (Info, error)

	// Images lists the engine's images, newest first, without intermediate
	// layers of a build.
	Images(ctx context.Context) ([]Image, error)

	// Push has the engine push an image to a registry that it can reach. The
	// tag that this needs is there only meanwhile: afterwards, also after a
	// failure or a cancel, the engine's tags are what they were. Progress may
	// be nil; calls never overlap. It is called at each change of a layer's
	// state, about ten times a second for bytes, and once at the end.
	//
	// An image without any other name cannot be pushed so, because the engine
	// deletes an image with its last tag: it fails with KindUnnamed. [Send]
	// knows what to do then.
	Push(ctx context.Context, o PushOptions, progress func(Progress)) (Result, error)

	// Pull has the engine pull a reference, such as
	// "localhost:5000/acme/app:v1". Progress as in Push.
	Pull(ctx context.Context, ref string, progress func(Progress)) error

	// Watch yields what happens to the engine's images until ctx ends. An
	// error, when the engine goes away, is the last thing it yields.
	Watch(ctx context.Context) iter.Seq2[Change, error]

	// Save streams an image, named by id or name, as a tar that
	// registry/archive reads. The caller closes it.
	Save(ctx context.Context, image string) (io.ReadCloser, error)

	// Reaches says whether the engine can push to a registry of this machine
	// that listens on address, such as "localhost:5000". An engine in a
	// virtual machine or on another host cannot.
	Reaches(ctx context.Context, address string) (bool, error)

	// Close lets go of the connections.
	Close() error
}

// Info says which engine answers.
type Info struct {
	// Name is "Docker Engine", "Docker Desktop", "Podman" or what it calls itself.
	Name string
	// Version is the engine's own, such as "28.5.2".
	Version string
	// Address is where it answers, such as "unix:///var/run/docker.sock".
	Address string
	// Context is the docker context that led here; empty for none.
	Context string
	// Platform is what the engine runs, such as "linux/amd64".
	Platform string
	// Containerd is true when images are kept in containerd: ids are then
	// digests of manifests, and pushes keep them.
	Containerd bool
	// Rootless is true when the engine runs without root.
	Rootless bool
}

// Image is a local image with all of its names.
type Image struct {
	// ID is "sha256:…": the digest of the image's configuration, or, when
	// Info.Containerd, of its manifest or index. What a registry has is the
	// same image when its manifest's digest, or that of its configuration,
	// equals ID.
	ID string
	// Names are "repository:tag" as the engine shows them; empty for an
	// image without a tag.
	Names []string
	// Digests are "repository@sha256:…", the manifests it was pulled or
	// pushed as.
	Digests []string
	// Size in bytes, as unpacked.
	Size    int64
	Created time.Time
	// Platforms are "os/arch[/variant]", where the engine says.
	Platforms []string
}

// PushOptions say what is pushed where.
type PushOptions struct {
	// Image is an id or a name.
	Image string
	// Address of the registry as the engine is to call it, "localhost:5000".
	Address string
	// Repository and Tag are the name it gets there.
	Repository string
	Tag        string
	// TempDir is where [Carry] may spool the image; empty means the system's.
	// It should be on the disk of the registry: an image is large.
	TempDir string
	// Loans are shared by the pushes of a program; nil: by those of the engine.
	Loans *Loans
}

// Reference is what is tagged and pushed: "localhost:5000/acme/app:v1".
func (o PushOptions) Reference() string { return o.Address + "/" + o.Repository + ":" + o.Tag }

// Result says what a push put into the registry.
type Result struct {
	// Digest of the manifest or index that the tag names now.
	Digest registry.Digest
	// Size of that manifest in bytes.
	Size int64
	// Carried is true when the image came by way of [Carry].
	Carried bool
	// Partial is true when the image is for several platforms and only those
	// that the engine has were pushed.
	Partial bool
}

// Progress is a push or a pull as it stands.
type Progress struct {
	// Layers in the order in which the engine named them.
	Layers []Layer
	// Done and Total in bytes, without layers that need not be sent. Total is
	// 0 until it is known, and may shrink when more layers turn out to exist.
	Done, Total int64
	// Note says in a word what goes on: "preparing", "pushing", "pulling",
	// "reading", "storing".
	Note string
}

// Layer is one layer of a push or a pull.
type Layer struct {
	// ID is the engine's short name for it.
	ID    string
	State LayerState
	// Done and Total in bytes; Total is 0 until it is known.
	Done, Total int64
}

// LayerState says how far a layer is.
type LayerState string

// The states of a layer.
const (
	LayerWaiting LayerState = "waiting"
	LayerActive  LayerState = "active"
	LayerDone    LayerState = "done"
	LayerExists  LayerState = "exists"  // was there already
	LayerMounted LayerState = "mounted" // was in another repository
)

// Change is something that happened to an image of the engine.
type Change struct {
	// Action is tag, untag, delete, pull, push, load, import, save or prune.
	Action string
	// Image is the id or the name it happened to.
	Image string
	At    time.Time
}

// Context is a docker context: a named way to an engine.
type Context struct {
	Name string
	// Address is where its engine is, such as "ssh://me@host".
	Address     string
	Description string
	// Current is true for the one that [Open] takes when no name is given.
	Current bool
}
