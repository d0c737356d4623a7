package app

import (
	"context"
	"errors"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"syscall"

	"berth/app/config"
)

// CheckAddress fails with a [*Problem] when the host of the configured address
// has no address at all, before anything is started for it.
func CheckAddress(ctx context.Context, cfg *config.Config) error {
	host := hostOf(cfg.HTTP.Addr)
	if cfg.HTTP.Net == "unix" || host == "" || host == "localhost" || net.ParseIP(host) != nil {
		return nil
	}
	if _, err := net.DefaultResolver.LookupHost(ctx, host); err == nil || ctx.Err() != nil {
		return ctx.Err()
	}
	return &Problem{
		Code: "cannot_listen", Severity: severityError, Title: "Berth cannot listen at " + cfg.HTTP.Addr,
		Text: "No machine is known by the name “" + host + "”.",
		Fix:  "Choose an address of this machine:", Command: "berth serve --addr localhost:5000", Exit: exitUsage,
	}
}

// CheckData fails with a [*Problem] when there is no data folder yet: whoever
// only looks must not make one.
func CheckData(cfg *config.Config) error {
	if _, err := os.Stat(cfg.Data()); !errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return &Problem{
		Code: "no_data", Severity: severityError, Title: "There is no folder " + cfg.Data(),
		Text: "Nothing has been stored there yet.", Fix: "Correct --data, or start a Berth that uses it:",
		Command: "berth serve --data " + cfg.Data(), Exit: exitNotFound,
	}
}

// folder fails with a [*Problem] when the data folder is a file.
func folder(path string) error {
	info, err := os.Stat(path)
	for errors.Is(err, syscall.ENOTDIR) || errors.Is(err, fs.ErrNotExist) && path != filepath.Dir(path) {
		path = filepath.Dir(path)
		info, err = os.Stat(path)
	}
	if err != nil || info.IsDir() {
		return nil // what cannot be looked at says so when it is used
	}
	return &Problem{
		Code: "not_a_folder", Severity: severityError, Title: path + " is a file, not a folder",
		Text: "Berth keeps images in a folder.", Fix: "Choose a folder with --data.", Exit: exitUsage,
	}
}
