// Package fsystest says, in tests, what every fsys.FS must do. Run holds an implementation against it.
package fsystest

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/afero"

	"github.com/haz-build/haz/fsys"
)

// Run tests the file systems that open returns. Each must be empty, new, and writable; Run closes it.
//
// What needs a FIFO uses a method Mkfifo(name string, perm fs.FileMode) error of the file system if there is one, else
// the kernel's on HostPath. What needs links is skipped where Symlink fails with errors.ErrUnsupported itself. lacks names other cases that
// the file system says it does not keep to, "GROUP/CASE".
func Run(t *testing.T, open func(t *testing.T) fsys.FS, lacks ...string) {
	for _, group := range []struct {
		name  string
		cases []testCase
	}{
		{"names", nameCases}, {"reading", readCases}, {"files", fileCases}, {"writing", writeCases}, {"links", linkCases},
		{"root", rootCases}, {"rename", renameCases}, {"unnamed", unnamedCases}, {"straight", straightCases}, {"exact", exactCases}, {"info", infoCases}, {"volume", volumeCases}, {"locks", lockCases}, {"atomic", atomicCases},
	} {
		t.Run(group.name, func(t *testing.T) {
			for _, c := range group.cases {
				if i := slices.Index(lacks, group.name+"/"+c.name); i >= 0 {
					lacks = slices.Delete(slices.Clone(lacks), i, i+1)
					continue
				}
				t.Run(c.name, func(t *testing.T) {
					f := open(t)
					defer f.Close()
					c.test(t, f)
				})
			}
		})
	}
	if len(lacks) > 0 {
		t.Errorf("no such cases: %q", lacks)
	}
}

type testCase struct {
	name string
	test func(t *testing.T, f fsys.FS)
}

// Snapshot returns a line for everything below dir, sorted by name: name, kind, permission bits, and the text of a link,
// the bytes of a short file or the length and SHA-256 of a long one. Links are not followed.
func Snapshot(f fsys.FS, dir string) ([]string, error) {
	var lines []string
	err := snapshot(f, fsys.Clean(dir), &lines)
	slices.Sort(lines)
	return lines, err
}

func snapshot(f fsys.FS, dir string, lines *[]string) error {
	entries, err := f.List(dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		name := strings.TrimSuffix(dir, "/") + "/" + e.Name
		info, err := f.Lstat(name)
		if err != nil {
			return err
		}
		line := fmt.Sprintf("%q ", name)
		switch info.Kind {
		case fsys.Dir:
			line += fmt.Sprintf("dir %#o", info.Perm)
		case fsys.Link:
			text, err := f.Readlink(name)
			if err != nil {
				return err
			}
			line += fmt.Sprintf("link %q", text)
		case fsys.File:
			data, _, err := f.ReadFile(name, 0)
			if err != nil {
				return err
			}
			line += fmt.Sprintf("file %#o %s", info.Perm, short(data))
		default:
			line += fmt.Sprintf("special %#o", info.Perm)
		}
		*lines = append(*lines, line)
		if info.Kind == fsys.Dir {
			if err := snapshot(f, name, lines); err != nil {
				return err
			}
		}
	}
	return nil
}

func short(data []byte) string {
	if len(data) <= 64 {
		return fmt.Sprintf("%q", data)
	}
	return fmt.Sprintf("%d bytes %x", len(data), sha256.Sum256(data))
}

// Helpers that read like sentences in the cases.

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("unexpected error: %v", err)
	}
}

// fails wants an error that is one of want, and one of the promised types.
func fails(t *testing.T, err error, want ...error) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error, want one of %v", want)
	}
	var p *fs.PathError
	var l *os.LinkError
	if !errors.As(err, &p) && !errors.As(err, &l) {
		t.Errorf("error %v is a %T, want *fs.PathError or *os.LinkError", err, err)
	}
	for _, w := range want {
		if errors.Is(err, w) {
			return
		}
	}
	t.Fatalf("error %v, want one of %v", err, want)
}

func equal[T comparable](t *testing.T, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Errorf("%s: got %v, want %v", what, got, want)
	}
}

func write(t *testing.T, f fsys.FS, name, data string) {
	t.Helper()
	w, err := f.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
	ok(t, err)
	_, err = io.WriteString(w, data)
	ok(t, err)
	ok(t, w.Close())
}

func mkdir(t *testing.T, f fsys.FS, names ...string) {
	t.Helper()
	for _, name := range names {
		ok(t, f.Mkdir(name, 0o755))
	}
}

func symlink(t *testing.T, f fsys.FS, text, name string) {
	t.Helper()
	err := f.Symlink(text, name)
	if l, is := err.(*os.LinkError); is && l.Err == errors.ErrUnsupported {
		t.Skip("no links")
	}
	ok(t, err)
}

// holds wants the file name to hold data.
func holds(t *testing.T, f fsys.FS, name, data string) {
	t.Helper()
	got, info, err := f.ReadFile(name, 0)
	ok(t, err)
	equal(t, name, string(got), data)
	equal(t, "size of "+name, info.Size, int64(len(data)))
}

func absent(t *testing.T, f fsys.FS, name string) {
	t.Helper()
	_, err := f.Lstat(name)
	fails(t, err, fs.ErrNotExist)
}

func lstat(t *testing.T, f fsys.FS, name string) fsys.Info {
	t.Helper()
	info, err := f.Lstat(name)
	ok(t, err)
	return info
}

// list returns the entries of dir as "name kind", sorted. A kind that the directory does not say is asked for.
func list(t *testing.T, f fsys.FS, dir string) []string {
	t.Helper()
	entries, err := f.List(dir)
	ok(t, err)
	lines := []string{}
	for _, e := range entries {
		if e.Kind == fsys.Unknown {
			e.Kind = lstat(t, f, strings.TrimSuffix(dir, "/")+"/"+e.Name).Kind
		}
		lines = append(lines, fmt.Sprintf("%s %d", e.Name, e.Kind))
	}
	slices.Sort(lines)
	return lines
}

// sub makes the directory and opens it as a root of its own.
func sub(t *testing.T, f fsys.FS, dir string) fsys.FS {
	t.Helper()
	ok(t, f.MkdirAll(dir, 0o755))
	s, err := f.Sub(dir)
	ok(t, err)
	t.Cleanup(func() { _ = s.Close() })
	return s
}

func fifo(t *testing.T, f fsys.FS, name string) {
	t.Helper()
	if m, has := f.(interface {
		Mkfifo(name string, perm fs.FileMode) error
	}); has {
		err := m.Mkfifo(name, 0o644)
		if !errors.Is(err, errors.ErrUnsupported) {
			ok(t, err)
			return
		}
	}
	// Only where the host path is the file system's own.
	p := f.HostPath(name)
	dir, err := os.Stat(filepath.Dir(p))
	if mine, _ := f.Stat(path.Dir(fsys.Clean(name))); err != nil || mine == nil || !mine.ModTime().Equal(dir.ModTime()) {
		t.Skip("no FIFO")
	}
	HostFIFO(t, p)
}

func readAll(t *testing.T, f afero.File) string {
	t.Helper()
	data, err := io.ReadAll(f)
	ok(t, err)
	return string(data)
}

func snap(t *testing.T, f fsys.FS) string {
	t.Helper()
	lines, err := Snapshot(f, "/")
	ok(t, err)
	return strings.Join(lines, "\n")
}
