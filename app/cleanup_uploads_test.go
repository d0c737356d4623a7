package app_test

import (
	"net/http"
	"strings"
	"testing"

	"berth/app"
)

// TestAPlanAndTheUsageAgreeAboutUnfinishedUploads has two of them, of which
// nothing can go, for one reason or another.
func TestAPlanAndTheUsageAgreeAboutUnfinishedUploads(t *testing.T) {
	t.Parallel()
	for want, set := range map[string]func(o app.Options){
		"somebody is at them, or was less than 168h ago":        func(app.Options) {},
		"storage.maintenance.uploadpurging.enabled=false keeps": func(o app.Options) { o.Config.Storage.Maintenance.UploadPurging.Enabled = false },
		"storage.maintenance.uploadpurging.dryrun=true keeps":   func(o app.Options) { o.Config.Storage.Maintenance.UploadPurging.DryRun = true },
		"somebody is at them, or was less than 1ns ago":         func(o app.Options) { o.Config.Storage.Maintenance.UploadPurging.Age = hardlyAny },
	} {
		o := options(t, t.TempDir(), "127.0.0.1:0")
		o.Config.Berth.Cleanup.Grace = hardlyAny
		set(o)
		i := start(t, o)
		i.push("team/app", "v1", "layer")
		i.pushBlob("team/app", []byte("loose"))
		var uploads []string
		for _, repo := range []string{"team/app", "new"} {
			at := i.do("POST", "/v2/"+repo+"/blobs/uploads/", "", nil, http.StatusAccepted).Header.Get("Location")
			answer := i.do("PATCH", strings.TrimPrefix(at, i.base), "application/octet-stream", []byte(strings.Repeat("half", 250)), http.StatusAccepted)
			uploads = append(uploads, strings.TrimPrefix(answer.Header.Get("Location"), i.base))
		}
		plan, err := i.PlanCleanup(t.Context(), app.PlanCleanupRequest{})
		if err != nil {
			t.Fatal(err)
		}
		u, err := i.Usage(t.Context(), app.UsageRequest{})
		if err != nil || u.Usage.Uploads != 2000 {
			t.Fatalf("%+v, %v", u, err)
		}
		sum, told := plan.Frees+plan.InUse, int64(0)
		for _, row := range plan.Stays {
			sum += row.Bytes
			if strings.Contains(row.Text, want) {
				told = row.Bytes
			}
		}
		if sum != u.Usage.Used {
			t.Errorf("%q: %d bytes are used, the plan has %d: %+v", want, u.Usage.Used, sum, plan)
		}
		if told != 2000 || plan.Uploads != 0 {
			t.Errorf("%q: %d uploads go, and %d bytes stay for that: %+v", want, plan.Uploads, told, plan.Stays)
		}
		for _, at := range uploads { // a stop would wait for them
			i.do("DELETE", at, "", nil, http.StatusNoContent)
		}
	}
}
