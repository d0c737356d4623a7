package page_test

import (
	"fmt"
	"testing"

	"berth/app"
	"berth/app/apptest"
	"berth/ui/model"
	"berth/ui/theme"
	"berth/ui/uitest"

	"fyne.io/fyne/v2"
)

// scene is a page in a state that a person meets.
type scene struct {
	name string
	page model.Page
	fake func() *apptest.Fake
	do   func(w *window)
	size fyne.Size
	only theme.Variant // empty means both
}

func empty() *apptest.Fake {
	f := apptest.New()
	f.Change(func(d *apptest.Data) {
		d.Repositories, d.LastPush, d.Trash = nil, nil, nil
		d.Disk = app.Usage{Free: 182e9, Total: 256e9}
	})
	return f
}

func sample() *apptest.Fake { return apptest.New() }

func pushing() *apptest.Fake {
	f := apptest.New()
	f.Change(func(d *apptest.Data) { d.Jobs = []app.Job{apptest.Pushing(apptest.Now)} })
	return f
}

func noDocker() *apptest.Fake {
	f := apptest.New()
	f.Change(func(d *apptest.Data) {
		d.Local.Images, d.Local.Engine = nil, app.Engine{}
		d.Local.Problem = &app.Problem{
			Code: "docker_denied", Title: "Docker does not let you in",
			Text: "The socket unix:///var/run/docker.sock belongs to the group docker, and you are not in it.",
			Fix:  "Add yourself to the group, then sign in again:", Command: "sudo usermod -aG docker $USER",
		}
	})
	return f
}

func fullDisk() *apptest.Fake {
	f := apptest.New()
	f.Change(func(d *apptest.Data) {
		d.Problems = []app.Problem{{Code: "disk_full", Severity: "error", Title: "The disk is nearly full", Text: "3.1 MB are left.", Command: "docker system prune"}}
	})
	return f
}

// failPush pushes the first local image, which ends badly.
func failPush(w *window) {
	w.models.Docker.Push(w.models.Docker.State().Rows[0].Key)
	w.models.Refresh()
	w.fake.Progress("job-1", func(j *app.Job) {
		j.State = app.JobFailed
		j.Problem = &app.Problem{
			Title: "The disk is full", Text: "3.1 MB are left in /home/ada/.local/share/berth.",
			Fix: "Free some space, then push again:", Command: "docker system prune",
		}
	})
	w.models.Refresh()
}

var scenes = []scene{
	{name: "images", page: model.PageImages, fake: sample, size: usual},
	{name: "images-small", page: model.PageImages, fake: sample, size: small},
	{name: "images-large", page: model.PageImages, fake: sample, size: large, only: theme.Dark},
	{name: "images-config", page: model.PageImages, fake: sample, size: usual, only: theme.Light, do: func(w *window) { w.models.Images.SetTab(model.TabConfig) }},
	{name: "images-selected", page: model.PageImages, fake: sample, size: usual, do: func(w *window) {
		for _, tag := range []string{"pr-318", "pr-317", "pr-311"} {
			w.models.Images.Toggle(tag)
		}
	}},
	{name: "images-undo", page: model.PageImages, fake: sample, size: usual, do: func(w *window) {
		w.models.Images.Toggle("pr-318")
		w.models.Images.Toggle("pr-317")
		w.models.Images.Delete()
	}},
	{name: "images-nomatch", page: model.PageImages, fake: sample, size: usual, only: theme.Dark, do: func(w *window) { w.models.Images.SetFilter("zzz") }},
	{name: "first-run", page: model.PageImages, fake: empty, size: usual},
	{name: "first-run-small", page: model.PageImages, fake: empty, size: small, only: theme.Light},
	{name: "docker", page: model.PageDocker, fake: pushing, size: usual},
	{name: "docker-small", page: model.PageDocker, fake: pushing, size: small},
	{name: "docker-large", page: model.PageDocker, fake: pushing, size: large, only: theme.Light},
	{name: "docker-selected", page: model.PageDocker, fake: sample, size: usual, only: theme.Dark, do: func(w *window) { w.models.Docker.SelectAll() }},
	{name: "docker-denied", page: model.PageDocker, fake: noDocker, size: usual},
	{name: "docker-failed", page: model.PageDocker, fake: fullDisk, size: usual, do: failPush},
}

func TestEveryPageLooksAsItWasSigned(t *testing.T) {
	for _, s := range scenes {
		for _, v := range uitest.Variants {
			if s.only != "" && s.only != v {
				continue
			}
			t.Run(fmt.Sprintf("%s-%s", s.name, v), func(t *testing.T) {
				w := newWindow(t, s.fake())
				w.models.Refresh()
				if s.do != nil {
					s.do(w)
				}
				uitest.Golden(t, s.name+"-"+string(v), w.draw(s.page, s.size, v))
			})
		}
	}
}

// The skeletons are what one sees before the service has answered.
func TestAPageThatWaitsLooksAsItWasSigned(t *testing.T) {
	for _, p := range []model.Page{model.PageImages, model.PageDocker} {
		for _, v := range uitest.Variants {
			f := sample()
			t.Cleanup(f.Hold("LocalImages"))
			uitest.Golden(t, fmt.Sprintf("%s-waiting-%s", p, v), newWindowOn(t, f, nil).draw(p, usual, v))
		}
	}
}
