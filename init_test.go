package haz

import (
	"errors"
	"io/fs"
	"syscall"
	"testing"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/faultfs"
	"github.com/haz-build/haz/fsys/memfs"
)

// Whatever call fails, the workspace file is whole or absent, and nothing else is left but .haz itself (AUX-006).
func TestInitFaults(t *testing.T) {
	for k := 0; ; k++ {
		mem := memfs.New()
		if err := mem.MkdirAll("/ws", 0o755); err != nil {
			t.Fatal(err)
		}
		faulty := faultfs.FailAt(mem, k, syscall.ENOSPC)
		err := InitWorkspace("/ws", WithFileSystem(faulty))
		b, _, rerr := mem.ReadFile("/ws/.haz/workspace.yml", 0)
		switch {
		case err == nil && string(b) != "projects: []\n":
			t.Errorf("call %d: success, but the file holds %q (%v)", k, b, rerr)
		case err != nil && !errors.Is(rerr, fs.ErrNotExist):
			t.Errorf("call %d: %v, but there is a file: %q", k, err, b)
		}
		if list, _ := mem.List("/ws/.haz"); err != nil && len(list) > 0 {
			t.Errorf("call %d: %v, and %s is left", k, err, list[0].Name)
		}
		if faulty.Injected().Total() == 0 {
			if err != nil || k < 5 {
				t.Errorf("after %d calls: %v", k, err)
			}
			return
		}
	}
}

// AUX-002: what counts as an existing workspace.
func TestInitRefuses(t *testing.T) {
	for name, prepare := range map[string]func(*memfs.FS) error{
		"a file":          func(m *memfs.FS) error { return fsys.WriteFileAtomic(m, "/ws/.haz/workspace.yml", nil, 0o644) },
		"a directory":     func(m *memfs.FS) error { return m.Mkdir("/ws/.haz/workspace.yml", 0o755) },
		"a dangling link": func(m *memfs.FS) error { return m.Symlink("nowhere", "/ws/.haz/workspace.yml") },
		".haz is a file": func(m *memfs.FS) error {
			return errors.Join(m.Remove("/ws/.haz"), fsys.WriteFileAtomic(m, "/ws/.haz", nil, 0o644))
		},
		".haz is a dangling link": func(m *memfs.FS) error { return errors.Join(m.Remove("/ws/.haz"), m.Symlink("x", "/ws/.haz")) },
	} {
		mem := memfs.New()
		if err := errors.Join(mem.MkdirAll("/ws/.haz", 0o755), prepare(mem)); err != nil {
			t.Fatal(err)
		}
		var exists *ExistingWorkspaceError
		if err := InitWorkspace("/ws", WithFileSystem(mem)); !errors.As(err, &exists) {
			t.Errorf("%s: %v", name, err)
		}
	}
	mem := memfs.New()
	if err := errors.Join(mem.MkdirAll("/ws", 0o755), mem.MkdirAll("/else", 0o755), mem.Symlink("../else", "/ws/.haz")); err != nil {
		t.Fatal(err)
	}
	if err := InitWorkspace("/ws", WithFileSystem(mem)); err != nil {
		t.Errorf("a link to a directory: %v", err)
	}
}
