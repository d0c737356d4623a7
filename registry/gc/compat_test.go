package gc_test

import (
	"errors"
	"strings"
	"testing"

	"berth/registry/gc"
	"berth/registry/registrytest"
)

// The folder of newClassic as distribution v3.1 saw it: the text is its own,
// with and without -m.
const (
	classic = `b
b: marking manifest sha256:c28767fd31b4f8709f625c1b39d5828cc09359efc5d91b84cea7798d0fcabe5a 
b: marking blob sha256:61affab5d10a1a9fee3154915cda3bf13ba7311433175d472e07b75d508d83f6
b: marking blob sha256:04160c878c9366e58c34ee46c08d301fad7bbe51b7820724c18e26564dd200fe
team/app
team/app: marking manifest sha256:174a732e888a2d70666222d30868ea37338b7029e03afaca53f4f37df043db18 
team/app: marking blob sha256:f45f3543805b65124b66b9d2150a361f6bc12b48f41eaeabc059c73ac29b1465
team/app: marking blob sha256:a48eb83910a6e16b4d340f2896703c90b8872a4e805c83ea86c4c2b0f814e71f
team/app: marking blob sha256:21c8401570ab1efc574a0e93af915ba7d476bfc33dbe145681bfdbe3c3f7f862
team/app: marking manifest sha256:f45f3543805b65124b66b9d2150a361f6bc12b48f41eaeabc059c73ac29b1465 
team/app: marking manifest sha256:fc1ebf061881b32a424dc069176f7acffcc2c4dca92fec7b457ff3d707c073ac 
team/app: marking blob sha256:87d512186d856706d81870f9516341ebab47a855e36131f0a75b7975ea8ca41b
team/app: marking blob sha256:d3c3d5acf60db71ee80ae8c66cff0233f23421fdb6d72ed3030deebdbb9c7ffd

10 blobs marked, 1 blobs and 0 manifests eligible for deletion
blob eligible for deletion: sha256:b5e0eee6e28efca6d6ad05d7b8a94631576037ec9e5ff6d305fe89faa0e1032e
b: layer link eligible for deletion: sha256:b5e0eee6e28efca6d6ad05d7b8a94631576037ec9e5ff6d305fe89faa0e1032e
team/app: layer link eligible for deletion: sha256:b5e0eee6e28efca6d6ad05d7b8a94631576037ec9e5ff6d305fe89faa0e1032e
`
	classicUntagged = `b
b: marking manifest sha256:c28767fd31b4f8709f625c1b39d5828cc09359efc5d91b84cea7798d0fcabe5a 
b: marking blob sha256:61affab5d10a1a9fee3154915cda3bf13ba7311433175d472e07b75d508d83f6
b: marking blob sha256:04160c878c9366e58c34ee46c08d301fad7bbe51b7820724c18e26564dd200fe
team/app
team/app: marking manifest sha256:174a732e888a2d70666222d30868ea37338b7029e03afaca53f4f37df043db18 
team/app: marking blob sha256:f45f3543805b65124b66b9d2150a361f6bc12b48f41eaeabc059c73ac29b1465
team/app: marking blob sha256:a48eb83910a6e16b4d340f2896703c90b8872a4e805c83ea86c4c2b0f814e71f
team/app: marking blob sha256:21c8401570ab1efc574a0e93af915ba7d476bfc33dbe145681bfdbe3c3f7f862
manifest eligible for deletion: {team/app sha256:fc1ebf061881b32a424dc069176f7acffcc2c4dca92fec7b457ff3d707c073ac [multi]}

7 blobs marked, 4 blobs and 1 manifests eligible for deletion
blob eligible for deletion: sha256:87d512186d856706d81870f9516341ebab47a855e36131f0a75b7975ea8ca41b
blob eligible for deletion: sha256:b5e0eee6e28efca6d6ad05d7b8a94631576037ec9e5ff6d305fe89faa0e1032e
blob eligible for deletion: sha256:d3c3d5acf60db71ee80ae8c66cff0233f23421fdb6d72ed3030deebdbb9c7ffd
blob eligible for deletion: sha256:fc1ebf061881b32a424dc069176f7acffcc2c4dca92fec7b457ff3d707c073ac
b: layer link eligible for deletion: sha256:b5e0eee6e28efca6d6ad05d7b8a94631576037ec9e5ff6d305fe89faa0e1032e
team/app: layer link eligible for deletion: sha256:87d512186d856706d81870f9516341ebab47a855e36131f0a75b7975ea8ca41b
team/app: layer link eligible for deletion: sha256:b5e0eee6e28efca6d6ad05d7b8a94631576037ec9e5ff6d305fe89faa0e1032e
team/app: layer link eligible for deletion: sha256:d3c3d5acf60db71ee80ae8c66cff0233f23421fdb6d72ed3030deebdbb9c7ffd
`
)

func newClassic(t *testing.T) *world {
	t.Helper()
	w := rash(t)
	w.put(registrytest.Index(t, w.put(w.image("amd"))), "multi")
	w.put(w.image("old"))
	registrytest.PushBlob(t, w.st, repo, []byte("loose"))
	registrytest.PushImage(t, w.st, "b", "v1")
	registrytest.PushBlob(t, w.st, "b", []byte("loose"))
	return w
}

func TestTheClassicOutputIsDistributionsOwn(t *testing.T) {
	t.Parallel()
	w := newClassic(t)
	for want, o := range map[string]gc.Options{
		classic:         {Grace: -1},
		classicUntagged: {Grace: -1, Untagged: true},
	} {
		var out strings.Builder
		c := gc.NewClassic(&out, false)
		o.Marked = c.Marked
		if err := c.Eligible(w.plan(o)); err != nil {
			t.Error(err)
		}
		if got := out.String(); got != want {
			t.Errorf("untagged %v: got\n%s\nwant\n%s", o.Untagged, got, want)
		}
	}
	var out strings.Builder
	c := gc.NewClassic(&out, true)
	if err := c.Eligible(w.plan(gc.Options{Grace: -1, Marked: c.Marked})); err != nil || out.Len() > 0 {
		t.Errorf("quiet: %q, %v", out.String(), err)
	}
}

type full struct{}

func (full) Write([]byte) (int, error) { return 0, errors.New("no room") }

func TestTheClassicOutputSaysWhenItCannotBeWritten(t *testing.T) {
	t.Parallel()
	c := gc.NewClassic(full{}, false)
	if err := c.Eligible(newClassic(t).plan(gc.Options{Grace: -1, Marked: c.Marked})); err == nil {
		t.Error("no error")
	}
}
