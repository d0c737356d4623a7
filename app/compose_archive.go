package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"path/filepath"
	"strings"

	"berth/app/job"
	"berth/registry"
	"berth/registry/archive"
	"berth/registry/transfer"
)

// into gives an importer of archives into a registry; what is compressed is
// unpacked in tempDir.
func into(dst registry.Registry, tempDir func() string) importer {
	return func(ctx context.Context, path, repo, tag string, report func(job.Progress)) (job.Result, error) {
		a, err := archive.Open(ctx, path, tempDir())
		if err != nil {
			return job.Result{}, archiveProblem(path, err)
		}
		defer func() { _ = a.Close() }()
		requests, err := importRequests(a.Images(), path, repo, tag)
		if err != nil {
			return job.Result{}, err
		}
		var result job.Result
		var before int64
		for _, r := range requests {
			var sent int64
			d, err := transfer.Copy(ctx, dst, a, r, transfer.Options{Progress: func(p transfer.Progress) {
				sent = p.Total
				report(copying(p, before))
			}})
			if err != nil {
				return result, archiveBroken(path, err)
			}
			before += sent
			result.Digest = d.Digest.String()
		}
		return result, nil
	}
}

// importRequests decides on the names: those of the archive, else the one that
// was asked for, else that of the file.
func importRequests(images []archive.Image, path, repo, tag string) ([]transfer.Request, error) {
	named := 0
	for _, i := range images {
		if i.Repository != archive.Unnamed {
			named++
		}
	}
	switch {
	case len(images) == 0:
		return nil, &Problem{
			Code: "archive_empty", Severity: severityError, Title: "There is no image in " + filepath.Base(path),
			Fix: "Choose a tar made by docker save, an OCI tar, or an OCI folder.", Exit: exitError,
		}
	case repo != "" && named > 0 && len(images) > 1:
		return nil, &Problem{
			Code: "archive_many", Severity: severityError, Title: fmt.Sprintf("There are %d images in %s", len(images), filepath.Base(path)),
			Text: "They have names of their own, so one name cannot be for all of them.", Fix: "Import them without giving a name.", Exit: exitUsage,
		}
	}
	alone := len(images) == 1 && repo != ""
	if repo == "" && named < len(images) {
		repo, tag = fileName(path), "latest"
	}
	var out []transfer.Request
	untagged := 0
	for _, i := range images {
		r := transfer.Request{From: i.Repository, Reference: i.Descriptor.Digest.String(), To: i.Repository, Tags: []string{i.Tag}, Partial: true, Referrers: true}
		switch {
		case alone:
			r.To, r.Tags = repo, []string{tag}
		case i.Repository == archive.Unnamed && repo == "":
			return nil, &Problem{
				Code: "name_needed", Severity: severityError, Title: "The image in " + filepath.Base(path) + " has no name",
				Fix: "Give it one:", Command: "berth import " + path + " team/app:v1", Exit: exitUsage,
			}
		case i.Repository == archive.Unnamed && i.Tag == "":
			untagged++
			r.To, r.Tags = repo, []string{tag}
			if untagged > 1 {
				r.Tags = []string{fmt.Sprintf("%s-%d", tag, untagged)}
			}
		case i.Repository == archive.Unnamed:
			r.To = repo
		case i.Tag == "":
			r.Tags = []string{"latest"}
		}
		out = append(out, r)
	}
	return out, nil
}

// fileName makes the name of a repository of the name of a file; empty when it
// cannot be one.
func fileName(path string) string {
	name := strings.ToLower(filepath.Base(path))
	for _, ending := range []string{".gz", ".zst", ".tgz", ".xz", ".bz2", ".tar", ".oci"} {
		name = strings.TrimSuffix(name, ending)
	}
	if registry.ParseName(name) != nil {
		return ""
	}
	return name
}

func copying(p transfer.Progress, before int64) job.Progress {
	out := job.Progress{Done: before + p.Done, Total: before + p.Total, Note: "storing"}
	for _, b := range p.Blobs {
		hex := b.Descriptor.Digest.Encoded()
		out.Layers = append(out.Layers, job.Layer{ID: hex[:min(12, len(hex))], State: string(b.State), Done: b.Done, Total: b.Descriptor.Size})
	}
	return out
}

// archiveProblem says why an archive cannot be opened.
func archiveProblem(path string, err error) error {
	err = archiveBroken(path, err)
	if errors.Is(err, archive.ErrFormat) || errors.Is(err, archive.ErrRefused) || AsProblem(err).Code == "error" {
		return &Problem{
			Code: "archive_format", Severity: severityError, Title: filepath.Base(path) + " is no archive of images", Text: sentence(err.Error()),
			Fix: "Choose a tar made by docker save, an OCI tar, or an OCI folder.", Exit: exitError,
		}
	}
	return err
}

// archiveBroken puts it down to the archive that something of it is missing or
// wrong: to a reader it is the archive that is not as it should be.
func archiveBroken(path string, err error) error {
	for _, part := range []error{
		registry.ErrBlobUnknown, registry.ErrManifestUnknown, registry.ErrManifestBlobUnknown, registry.ErrManifestInvalid,
		registry.ErrDigestInvalid, registry.ErrSizeInvalid, io.ErrUnexpectedEOF,
	} {
		if errors.Is(err, part) {
			return &Problem{
				Code: "archive_broken", Severity: severityError, Title: filepath.Base(path) + " is damaged or not whole", Text: sentence(err.Error()),
				Fix: "Make the archive again, then import it again.", Exit: exitError,
			}
		}
	}
	return err
}
