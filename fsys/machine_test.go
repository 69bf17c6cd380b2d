//go:build unix

package fsys_test

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/haz-build/haz/fsys"
)

func TestMachine(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, []byte("bytes"), 0o644); err != nil {
		t.Fatal(err)
	}
	if data, _, err := fsys.Machine().ReadFile(file, 0); err != nil || string(data) != "bytes" {
		t.Errorf("%q, %v", data, err)
	}
}

func TestWriteOutput(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	content := func(name, want string) {
		t.Helper()
		if data, err := os.ReadFile(name); err != nil || string(data) != want {
			t.Errorf("%s: %q, %v; want %q", name, data, err, want)
		}
	}
	must(os.MkdirAll("a/b", 0o755))
	must(os.Symlink("a/b", "way"))
	must(os.Symlink("a/real", "link"))
	must(os.WriteFile("a/real", []byte("a longer text from before"), 0o644))

	must(fsys.WriteOutput("new", []byte("1")))
	content("new", "1")
	must(fsys.WriteOutput("link", []byte("2"))) // the link stays, and leads to what was written
	content("a/real", "2")
	if info, err := os.Lstat("link"); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link has become %v, %v", info, err)
	}
	must(fsys.WriteOutput("way/../c", []byte("3"))) // beside a/b, as the kernel takes it
	content("a/c", "3")
	must(fsys.WriteOutput(filepath.Join(dir, "way", "d"), []byte("4")))
	content("a/b/d", "4")

	err := fsys.WriteOutput("no/such", []byte("5"))
	if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), " no/such:") {
		t.Errorf("got %v", err)
	}
	must(filepath.WalkDir(dir, func(p string, d fs.DirEntry, err error) error {
		if fsys.IsTemporary(d.Name()) {
			t.Errorf("left: %s", p)
		}
		return err
	}))
}

// A pipe is written to, and stays one.
func TestWriteOutputPipe(t *testing.T) {
	pipe := filepath.Join(t.TempDir(), "pipe")
	if err := syscall.Mkfifo(pipe, 0o600); err != nil {
		t.Fatal(err)
	}
	got := make(chan string)
	go func() {
		f, err := os.Open(pipe)
		if err != nil {
			got <- err.Error()
			return
		}
		defer f.Close()
		data, _ := io.ReadAll(f)
		got <- string(data)
	}()
	if err := fsys.WriteOutput(pipe, []byte("text")); err != nil {
		t.Fatal(err)
	}
	if text := <-got; text != "text" {
		t.Errorf("read %q", text)
	}
}

func TestNameless(t *testing.T) {
	t.Setenv("TMPDIR", t.TempDir())
	f, err := fsys.Nameless("some-")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if _, err := f.WriteString("kept"); err != nil {
		t.Fatal(err)
	}
	if left, err := os.ReadDir(os.Getenv("TMPDIR")); err != nil || len(left) != 0 {
		t.Errorf("left %v, %v", left, err)
	}
	if data, err := io.ReadAll(io.NewSectionReader(f, 0, 100)); err != nil || string(data) != "kept" {
		t.Errorf("%q, %v", data, err)
	}
}
