package app_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"berth/app"
)

// TestWhatASourceRefusesOfOneRepositoryItMayGiveOfAnother asks one that has a
// private repository beside a public one.
func TestWhatASourceRefusesOfOneRepositoryItMayGiveOfAnother(t *testing.T) {
	t.Parallel()
	i := fresh(t)
	for _, repo := range []string{"a-private", "public"} {
		i.push(repo, "v1", "a layer of "+repo)
		spoil(t, i.blobFile(digestOf([]byte("a layer of "+repo))), "rotten!")
	}
	i.verified(app.VerifyRequest{})
	status := http.StatusUnauthorized
	up := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if strings.Contains(r.URL.Path, "private") {
			w.Header().Set("WWW-Authenticate", `Basic realm="x"`)
			w.WriteHeader(status)
			return
		}
		_, _ = w.Write([]byte("a layer of public"))
	}))
	defer up.Close()
	j := i.repaired(app.RepairRequest{From: up.URL})
	if len(j.Repairs) != 2 || j.State != app.JobDone {
		t.Fatalf("%s: %+v", j.State, j.Repairs)
	}
	for _, r := range j.Repairs {
		if p := r.Problem; (p == nil) != (r.Finding.Repository == "public") || p != nil && (p.Code != "source_denied" || !strings.Contains(p.Text, "a-private") || !strings.Contains(p.Fix, "docker login")) {
			t.Errorf("%s: %+v", r.Finding.Repository, p)
		}
	}
	host := strings.TrimPrefix(up.URL, "http://")
	for _, status = range []int{http.StatusUnauthorized, http.StatusForbidden} {
		j = i.repaired(app.RepairRequest{From: "http://ada:s3cret@" + host})
		if p := j.Problem; j.State != app.JobFailed || p == nil || p.Code != "source_denied" || !strings.Contains(p.Title, "ada") || strings.Contains(p.Title+p.Text+p.Fix+p.Command, "s3cret") {
			t.Errorf("%d, with a name: %s, %+v", status, j.State, p)
		}
	}
}
