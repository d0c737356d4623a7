package config

import (
	"fmt"
	"net"
	"strconv"
	"strings"
)

// address refuses what cannot be an address to listen at, before anything is
// started for it. An address without a port has the default one.
func (c *Config) address(key, addr string) error {
	host, port, err := net.SplitHostPort(addr)
	if err != nil {
		host, port = addr, "5000"
		if strings.ContainsAny(addr, ":[]") && net.ParseIP(addr) == nil {
			return c.bad(key, fmt.Errorf("%q is not an address like localhost:5000", addr))
		}
	}
	if _, err := strconv.ParseUint(host, 10, 64); err == nil {
		return c.bad(key, fmt.Errorf("%q is a port without a host, write localhost:%s", addr, host))
	}
	if n, err := strconv.ParseUint(port, 10, 64); err == nil && n > 65535 {
		return c.bad(key, fmt.Errorf("there is no port %d, ports go up to 65535", n))
	}
	if _, err := net.LookupPort("tcp", port); err != nil {
		return c.bad(key, fmt.Errorf("%q is not a port", port))
	}
	if strings.ContainsAny(host, "/ ") {
		return c.bad(key, fmt.Errorf("%q is not an address like localhost:5000", addr))
	}
	return nil
}
