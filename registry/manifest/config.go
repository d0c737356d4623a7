package manifest

import (
	"encoding/json"
	"maps"
	"slices"
	"time"

	"berth/registry"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Summary is what the config blob of an image says about it.
type Summary struct {
	OS, Architecture, Variant, OSVersion string
	// Created is zero when the config does not tell.
	Created time.Time
	Author  string
	// How a container of it runs.
	User, WorkingDir, StopSignal string
	Entrypoint, Cmd, Env         []string
	ExposedPorts, Volumes        []string
	Labels                       map[string]string
	// DiffIDs are the digests of the layers, unpacked, in order.
	DiffIDs []registry.Digest
	// History has a step for each line of the build, oldest first.
	History []Step
}

// Step is one line of the history of an image.
type Step struct {
	Created   time.Time
	CreatedBy string
	Comment   string
	// Empty means that the step made no layer.
	Empty bool
}

// Platform gives "os/arch[/variant]", or "" when the config does not tell.
func (s Summary) Platform() string {
	return platform(&ocispec.Platform{OS: s.OS, Architecture: s.Architecture, Variant: s.Variant})
}

// Config reads the config blob of an image. It takes whatever part of it makes
// sense; configs of artifacts give a Summary that says nothing. Errors:
// registry.ErrManifestInvalid when the content is not a JSON object.
func Config(content []byte) (Summary, error) {
	var doc map[string]json.RawMessage
	if err := json.Unmarshal(content, &doc); err != nil {
		return Summary{}, invalid("the config is not a JSON object: %v", err)
	}
	var s Summary
	var created *time.Time
	var history []ocispec.History
	var rootfs ocispec.RootFS
	var run ocispec.ImageConfig
	for key, into := range map[string]any{
		"os": &s.OS, "architecture": &s.Architecture, "variant": &s.Variant, "os.version": &s.OSVersion,
		"author": &s.Author, "created": &created, "history": &history, "rootfs": &rootfs, "config": &run,
	} {
		if raw, ok := doc[key]; ok {
			// A field of an artifact's own making is no reason to hide the others.
			_ = json.Unmarshal(raw, into)
		}
	}
	if created != nil {
		s.Created = *created
	}
	s.User, s.WorkingDir, s.StopSignal = run.User, run.WorkingDir, run.StopSignal
	s.Entrypoint, s.Cmd, s.Env, s.Labels = run.Entrypoint, run.Cmd, run.Env, run.Labels
	s.ExposedPorts = slices.Sorted(maps.Keys(run.ExposedPorts))
	s.Volumes = slices.Sorted(maps.Keys(run.Volumes))
	s.DiffIDs = rootfs.DiffIDs
	for _, h := range history {
		step := Step{CreatedBy: h.CreatedBy, Comment: h.Comment, Empty: h.EmptyLayer}
		if h.Created != nil {
			step.Created = *h.Created
		}
		s.History = append(s.History, step)
	}
	return s, nil
}
