package load_test

import (
	"strconv"
	"strings"
	"testing"

	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/workspace/load"
)

// S-44: what may not hold the cache, or the state, of the workspace /home/me/ws.
func TestCheckPlace(t *testing.T) {
	m := memfs.New()
	for _, dir := range []string{"/home/me/ws/p", "/srv/shared", "/srv/theirs/deep"} {
		ok(t, m.MkdirAll(dir, 0o755))
	}
	put(t, m, "/srv/file", "")
	ok(t, m.Symlink("/home/me/ws/p", "/srv/in"))
	ok(t, m.Symlink("/home", "/srv/home"))
	ok(t, m.Symlink("/nowhere", "/srv/dangling"))
	ok(t, m.Symlink("/srv/theirs", "/srv/to-theirs"))
	ok(t, m.Symlink("/srv/shared", "/home/me/ws/out"))
	ok(t, m.Symlink("/srv/loop", "/srv/loop"))
	host := owned{m, map[string]int{"/srv/theirs": 7}}
	stranger := func(uid int) string {
		if uid == 7 {
			return "user " + strconv.Itoa(uid)
		}
		return ""
	}
	for dir, want := range map[string]string{
		"/srv/shared":              "",
		"/srv/shared/new/and/more": "",
		"/srv/new":                 "",
		"/home/me/ws2":             "", // begins like the workspace
		"/home/me/w":               "",
		"/home/me/ws/out/cache":    "", // a link that leads out of it
		"/home/me/ws":              "lies in the workspace",
		"/home/me/ws/p/new":        "lies in the workspace",
		"/home/me/ws/.haz/cache":   "lies in the workspace",
		"/home/me/x/../ws/p":       "lies in the workspace",
		"/srv/in":                  "lies in the workspace",
		"/srv/in/new/cache":        "lies in the workspace",
		"/home/me":                 "holds the workspace",
		"/":                        "holds the workspace",
		"/srv/home":                "holds the workspace",
		"/srv/dangling":            "cannot lie in",
		"/srv/dangling/new":        "cannot lie in",
		"/srv/loop/new":            "cannot lie in",
		"/srv/file":                "cannot lie in",
		"/srv/file/new":            "cannot lie in",
		"/srv/theirs":              "belongs to user 7",
		"/srv/theirs/deep/new":     "belongs to user 7",
		"/srv/to-theirs/deep":      "belongs to user 7",
	} {
		d := load.CheckPlace(host, "/home/me/ws", dir, "the cache", stranger)
		switch {
		case d == nil && want != "":
			t.Errorf("%s is fine, want %q", dir, want)
		case d != nil && (want == "" || !strings.Contains(d.Message, want)):
			t.Errorf("%s: %s %v, want %q", dir, d.Message, d.Causes, want)
		}
		if strings.HasPrefix(want, "belongs") {
			if d := load.CheckPlace(host, "/home/me/ws", dir, "the cache", nil); d != nil {
				t.Errorf("%s, where everybody is trusted: %s", dir, d.Message)
			}
		}
	}
	if d := load.CheckPlace(host, "/", "/srv/shared", "the cache", nil); d == nil {
		t.Error("a place in a workspace that is all of the host is fine")
	}
}
