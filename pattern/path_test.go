package pattern_test

import (
	"testing"

	"github.com/haz-build/haz/pattern"
)

func TestIsBelow(t *testing.T) {
	for _, tc := range []struct {
		path, dir          string
		isBelow, isOrBelow bool
	}{
		{"/a/b", "/a", true, true},
		{"/a/b/c", "/a", true, true},
		{"/a", "/a", false, true},
		{"/ab", "/a", false, false},
		{"/a", "/a/b", false, false},
		{"/b/a", "/a", false, false},
		{"/a", "/", true, false},
		{"/", "/", false, true},
	} {
		if got := pattern.IsBelow(tc.path, tc.dir); got != tc.isBelow {
			t.Errorf("IsBelow(%q, %q) = %v", tc.path, tc.dir, got)
		}
		if got := pattern.IsOrBelow(tc.path, tc.dir); got != tc.isOrBelow {
			t.Errorf("IsOrBelow(%q, %q) = %v", tc.path, tc.dir, got)
		}
	}
}

func TestParent(t *testing.T) {
	for path, want := range map[string]string{"/a/b/c": "/a/b", "/a/b": "/a", "/a": "/", "/": "/"} {
		if got := pattern.Parent(path); got != want {
			t.Errorf("Parent(%q) = %q, want %q", path, got, want)
		}
	}
}
