package app

import (
	"context"
	"net"

	"berth/app/config"
)

// CheckAddress fails with a [*Problem] when the host of the configured address
// has no address at all, before anything is started for it.
func CheckAddress(ctx context.Context, cfg *config.Config) error {
	host := hostOf(cfg.HTTP.Addr)
	if host == "" || host == "localhost" || net.ParseIP(host) != nil {
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
