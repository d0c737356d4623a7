package dockerbridge

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"net/http"

	"github.com/docker/cli/cli/connhelper"
	clicontext "github.com/docker/cli/cli/context"
	"github.com/docker/docker/client"
)

// tlsConfig makes what a connection needs of a context's certificates; data
// may be nil when skipVerify is all there is to it.
func tlsConfig(data *clicontext.TLSData, skipVerify bool) (*tls.Config, error) {
	c := &tls.Config{MinVersion: tls.VersionTLS12, InsecureSkipVerify: skipVerify} //nolint:gosec // the user's own choice in the context
	if data == nil {
		return c, nil
	}
	if len(data.CA) > 0 {
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(data.CA) {
			return nil, errors.New("the CA certificate is not PEM")
		}
		c.RootCAs = pool
	}
	if len(data.Cert) > 0 && len(data.Key) > 0 {
		pair, err := tls.X509KeyPair(data.Cert, data.Key)
		if err != nil {
			return nil, fmt.Errorf("client certificate: %w", err)
		}
		c.Certificates = []tls.Certificate{pair}
	}
	return c, nil
}

// sshOptions reaches an engine as docker's command line does: through
// "docker system dial-stdio" on the other side.
func sshOptions(host string) ([]client.Opt, error) {
	helper, err := connhelper.GetConnectionHelper(host)
	if err != nil {
		return nil, err
	}
	hc := &http.Client{Transport: &http.Transport{DialContext: helper.Dialer}}
	return []client.Opt{
		client.WithHTTPClient(hc),
		client.WithHost(helper.Host),
		client.WithDialContext(helper.Dialer),
	}, nil
}
