package infer_test

import (
	"strings"
	"sync"
	"testing"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/workspace/infer"
)

func TestReadNew(t *testing.T) {
	var mu sync.Mutex
	read := map[string]int{}
	known := map[string]*string{}
	look := func(dir string) *string {
		mu.Lock()
		defer mu.Unlock()
		read[dir]++
		if dir == "/none" {
			return nil
		}
		return &dir
	}
	names := func(list []*string) string {
		var all []string
		for _, s := range list {
			all = append(all, *s)
		}
		return strings.Join(all, " ")
	}
	if got := names(infer.ReadNew(t.Context(), known, []string{"/b", "/none", "/a", "/b"}, look)); got != "/a /b" {
		t.Errorf("at first: %s", got)
	}
	if got := names(infer.ReadNew(t.Context(), known, []string{"/a", "/0", "/b"}, look)); got != "/0" {
		t.Errorf("then: %s", got)
	}
	if got := names(infer.Sorted(known)); got != "/0 /a /b" {
		t.Errorf("known: %s", got)
	}
	for dir, n := range read {
		if n != 1 {
			t.Errorf("%s was read %d times", dir, n)
		}
	}
}

func TestWays(t *testing.T) {
	f := fsys.Memory()
	if err := f.MkdirAll("/a/b", 0o777); err != nil {
		t.Fatal(err)
	}
	if err := f.Symlink("a", "/link"); err != nil {
		t.Fatal(err)
	}
	write(t, f, "/a/file", "")
	w := infer.NewWays(infer.NewDisk(f))
	w.Know([]string{"/said"})
	for _, tc := range []struct {
		from, text, dir string
		inside          bool
	}{
		{"/", "a/b", "/a/b", true},
		{"/a", "./b/", "/a/b", true},
		{"/a/b", "..", "/a", true},
		{"/a", "..", "/", true},
		{"/a", "../..", "", false},
		{"/", "../a", "", false},
		{"/", "a/../../a", "", false},
		{"/", "/a", "", false},
		{"/", "link/b", "/a/b", true},
		{"/", "none", "", true},
		{"/", "a/file", "", true},
		{"/a", "../said", "/said", true},
	} {
		for range 2 { // the second time it is known
			if dir, inside := w.To(tc.from, tc.text); dir != tc.dir || inside != tc.inside {
				t.Errorf("from %s to %s: %q %v", tc.from, tc.text, dir, inside)
			}
		}
	}
}
