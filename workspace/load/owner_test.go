package load_test

import (
	"context"
	"errors"
	"fmt"
	"path"
	"testing"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/workspace/load"
)

// owned is a file system with owners: of the names that are listed, everything else is root's.
type owned struct {
	fsys.FS
	uid map[string]int
}

func (o owned) Owner(name string) (int, error) {
	if _, err := o.Lstat(name); err != nil {
		return 0, err
	}
	return o.uid[name], nil
}

func put(t *testing.T, m *memfs.FS, name, text string) {
	t.Helper()
	ok(t, m.MkdirAll(path.Dir(name), 0o755))
	ok(t, fsys.WriteFileAtomic(m, name, []byte(text), 0o644))
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// DISC-023: what marks the root, and every folder on the way to it, belongs to the user or to root.
func TestOwners(t *testing.T) {
	explicit := func(m *memfs.FS) {
		put(t, m, "/home/me/ws/.haz/workspace.yml", "projects: []\n")
	}
	linked := func(m *memfs.FS) {
		put(t, m, "/srv/shared/dot/workspace.yml", "projects: []\n")
		ok(t, m.MkdirAll("/home/me/ws", 0o755))
		ok(t, m.Symlink("/srv/shared/dot", "/home/me/ws/.haz"))
	}
	implicit := func(m *memfs.FS) {
		put(t, m, "/home/me/ws/haz.yml", "name: a\n")
		put(t, m, "/home/me/ws/.git/HEAD", "")
	}
	tests := []struct {
		name  string
		make  func(m *memfs.FS)
		owner string // of what user 7 owns
		want  string // what is named; "" when it is fine
	}{
		{"nothing", explicit, "", ""},
		{"the marker", explicit, "/home/me/ws/.haz", "/home/me/ws/.haz"},
		{"the root", explicit, "/home/me/ws", "/home/me/ws"},
		{"a folder above", explicit, "/home", "/home"},
		{"what lies in the marker is the business of its owner", explicit, "/home/me/ws/.haz/workspace.yml", ""},
		{"a link", linked, "/home/me/ws/.haz", "/home/me/ws/.haz"},
		{"where it leads", linked, "/srv/shared/dot", "/srv/shared/dot"},
		{"on the way there", linked, "/srv", "/srv"},
		{"the file of an implicit workspace", implicit, "/home/me/ws/haz.yml", "/home/me/ws/haz.yml"},
		{"git's folder", implicit, "/home/me/ws/.git", "/home/me/ws/.git"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			mem := memfs.New()
			tt.make(mem)
			host := owned{mem, map[string]int{tt.owner: 7, "/home/me": 3}}
			stranger := func(uid int) string {
				if uid == 0 || uid == 3 {
					return ""
				}
				return fmt.Sprintf("user eve (%d)", uid)
			}
			_, fs, err := load.Workspace(context.Background(), host, "/home/me/ws", load.Options{Stranger: stranger, SettingsOnly: true})
			if fs != nil {
				defer fs.Close()
			}
			var list *diag.Errors
			switch {
			case tt.want == "" && err != nil:
				t.Fatal(err)
			case tt.want == "":
				return
			case !errors.As(err, &list) || len(list.List) != 1:
				t.Fatalf("%v", err)
			}
			if d := list.List[0]; d.Code != "DISC-023" || d.Place.File != tt.want || d.Hint == "" {
				t.Errorf("%+v", d)
			}
			if _, fs, err := load.Workspace(context.Background(), host, "/home/me/ws", load.Options{SettingsOnly: true}); err != nil {
				t.Errorf("trusted: %v", err)
			} else {
				_ = fs.Close()
			}
		})
	}
}
