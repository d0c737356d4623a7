package app

import (
	"context"
	"errors"
	"io"
	"iter"
	"runtime"

	"berth/app/job"
	"berth/dockerbridge"
)

// docker is Engines over dockerbridge.
type docker struct{ loans *dockerbridge.Loans }

// Reclaim takes temporary tags away that a killed Berth left in engines.
func (d docker) Reclaim(ctx context.Context) (left int, err error) { return d.loans.Reclaim(ctx) }

// Contexts lists the docker contexts.
func (docker) Contexts() ([]Context, error) {
	found, err := dockerbridge.Contexts()
	out := make([]Context, 0, len(found))
	for _, c := range found {
		out = append(out, Context{Name: c.Name, Address: c.Address, Current: c.Current})
	}
	return out, engineError(err)
}

// Open reaches an engine.
func (d docker) Open(ctx context.Context, name string) (LocalEngine, error) {
	e, err := dockerbridge.Open(ctx, name)
	if err != nil {
		return nil, engineError(err)
	}
	return &dockerEngine{e, d.loans}, nil
}

type dockerEngine struct {
	e     dockerbridge.Engine
	loans *dockerbridge.Loans
}

func (d *dockerEngine) Info(ctx context.Context) (Engine, error) {
	i, err := d.e.Info(ctx)
	return Engine{Name: i.Name, Version: i.Version, Address: i.Address, Context: i.Context}, engineError(err)
}

func (d *dockerEngine) Images(ctx context.Context) ([]EngineImage, error) {
	info, err := d.e.Info(ctx)
	if err != nil {
		return nil, engineError(err)
	}
	images, err := d.e.Images(ctx)
	out := make([]EngineImage, 0, len(images))
	for _, i := range images {
		out = append(out, EngineImage{
			ID: i.ID, Names: i.Names, Digests: i.Digests, Size: i.Size, Created: i.Created, Containerd: info.Containerd,
		})
	}
	return out, engineError(err)
}

func (d *dockerEngine) Push(ctx context.Context, p EnginePush, report func(job.Progress)) (string, error) {
	o := dockerbridge.PushOptions{
		Image: p.Image, Address: p.Address, Repository: p.Repository, Tag: p.Tag, TempDir: p.TempDir, Loans: d.loans,
	}
	send := dockerbridge.Send
	if p.Address == "" { // nothing listens that the engine could push to
		send = dockerbridge.Carry
	}
	r, err := send(ctx, d.e, p.Registry, o, reporter(report))
	return r.Digest.String(), engineError(err)
}

func (d *dockerEngine) Pull(ctx context.Context, reference string, report func(job.Progress)) error {
	err := d.e.Pull(ctx, reference, reporter(report))
	var e *dockerbridge.Error
	if errors.As(err, &e) && e.Kind == dockerbridge.KindUnreachable {
		p := engineProblem(e, runtime.GOOS)
		p.Fix = "Its “localhost” may be another one, as in a virtual machine, or it may insist on TLS, as Podman does. " +
			"Pull under an address of Berth that it reaches, and list that address among its insecure registries."
		return p
	}
	return engineError(err)
}

func (d *dockerEngine) Save(ctx context.Context, image string) (io.ReadCloser, error) {
	r, err := d.e.Save(ctx, image)
	return r, engineError(err)
}

func (d *dockerEngine) Watch(ctx context.Context) iter.Seq2[struct{}, error] {
	return func(yield func(struct{}, error) bool) {
		for _, err := range d.e.Watch(ctx) {
			if !yield(struct{}{}, engineError(err)) {
				return
			}
		}
	}
}

func (d *dockerEngine) Close() error { return engineError(d.e.Close()) }

func reporter(report func(job.Progress)) func(dockerbridge.Progress) {
	return func(p dockerbridge.Progress) {
		out := job.Progress{Done: p.Done, Total: p.Total, Note: p.Note}
		for _, l := range p.Layers {
			out.Layers = append(out.Layers, job.Layer{ID: l.ID, State: string(l.State), Done: l.Done, Total: l.Total})
		}
		report(out)
	}
}

// engineError says an engine's error to a person. What the registry refused
// meanwhile keeps its own words.
func engineError(err error) error {
	var e *dockerbridge.Error
	if !errors.As(err, &e) {
		return err
	}
	if e.Kind == dockerbridge.KindCancelled {
		if errors.Is(e.Err, context.DeadlineExceeded) {
			return context.DeadlineExceeded
		}
		return context.Canceled
	}
	return engineProblem(e, runtime.GOOS)
}

func engineProblem(e *dockerbridge.Error, goos string) *Problem {
	p := &Problem{Code: "docker_" + string(e.Kind), Severity: severityError, Text: sentence(e.Err.Error()), Exit: exitEngine}
	switch e.Kind {
	case dockerbridge.KindAbsent:
		p.Title = "No container engine answers"
		p.Text = "Neither Docker nor Podman could be reached."
		if e.Address != "" {
			p.Text = "Nothing answers at " + e.Address + "."
		}
		p.Fix, p.Command = startEngine(goos)
	case dockerbridge.KindPermission:
		p.Title = "You may not use Docker"
		p.Text = "Your user has no right to use " + orSocket(e.Address) + "."
		p.Fix = "Add your user to the group docker, then sign out and in again:"
		p.Command = "sudo usermod -aG docker $USER"
		if goos != "linux" {
			p.Fix, p.Command = "Start Docker Desktop as the user that you are.", ""
		}
	case dockerbridge.KindNoSpace:
		p.Title, p.Exit = "A disk is full", exitError
		p.Fix = "Free some space, then try again. To see what the engine keeps and to remove what it does not use:"
		p.Command = "docker system df && docker image prune"
	case dockerbridge.KindUnreachable:
		p.Title = "The container engine cannot reach Berth"
		p.Fix = "Its network may be another one, as in a virtual machine. Push from Berth's window: that works over any distance."
	case dockerbridge.KindDenied:
		p.Title, p.Exit = "The registry refused the image", exitError
		p.Fix = "Correct what it names, then try again."
	case dockerbridge.KindNotFound:
		p.Title, p.Exit = "The container engine does not have that image", exitNotFound
		p.Fix, p.Command = "To see what it has:", "docker image ls"
	default:
		p.Title, p.Exit = "The container engine could not do it", exitError
		p.Fix = "Try again. If it stays so, restart the engine."
	}
	return p
}

func startEngine(goos string) (fix, command string) {
	switch goos {
	case "darwin":
		return "Start Docker Desktop:", "open -a Docker"
	case "windows":
		return "Start Docker Desktop:", "docker desktop start"
	}
	return "Start Docker, or install it first:", "sudo systemctl start docker"
}

func orSocket(address string) string {
	if address == "" {
		return "the socket of the container engine"
	}
	return address
}
