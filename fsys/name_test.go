package fsys_test

import (
	"path"
	"testing"

	"github.com/haz-build/haz/fsys"
)

func TestClean(t *testing.T) {
	for in, want := range map[string]string{
		"": "/", ".": "/", "/": "/", "..": "/", "/..": "/", "/../..": "/", "//": "/",
		"a": "/a", "/a": "/a", "/a/": "/a", "a//b": "/a/b", "/a/./b": "/a/b", "/a/../b": "/b", "/a/..": "/", "../a": "/a",
		"/...": "/...", "/.a": "/.a", "/a.": "/a.", "/..a": "/..a", "/a../b": "/a../b", "/a b/\xff\n": "/a b/\xff\n",
	} {
		if got := fsys.Clean(in); got != want {
			t.Errorf("Clean(%q) = %q, want %q", in, got, want)
		}
	}
	if n := testing.AllocsPerRun(100, func() { fsys.Clean("/lib/src/.a/..b") }); n != 0 {
		t.Errorf("cleaning a clean name allocates %v times", n)
	}
}

func FuzzClean(f *testing.F) {
	for _, s := range []string{"", "/a/b", "/a/../../b/.", "a//", "/..x/.y"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if got, want := fsys.Clean(name), path.Clean("/"+name); got != want {
			t.Errorf("Clean(%q) = %q, want %q", name, got, want)
		}
	})
}

func TestModes(t *testing.T) {
	for perm := uint32(0); perm <= 0o7777; perm++ {
		if got := fsys.ModePerm(fsys.PermMode(perm)); got != perm {
			t.Fatalf("%o became %o", perm, got)
		}
	}
}

func TestIsTemporary(t *testing.T) {
	for base, want := range map[string]bool{
		".x.haz-tmp0": true, "..haz-tmp999": true, ".a.haz-tmp1.haz-tmp12": true,
		"x.haz-tmp0": false, ".haz-tmp0": false, ".x.haz-tmp": false, ".x.haz-tmp1000": false, ".x.haz-tmp+1": false,
		".x.haz-tmp-1": false, ".x.haz-tmpx": false, "": false, ".": false,
	} {
		if got := fsys.IsTemporary(base); got != want {
			t.Errorf("IsTemporary(%q) = %v", base, got)
		}
	}
}
