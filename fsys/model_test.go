package fsys_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"strings"
	"syscall"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/fsystest"
	"github.com/haz-build/haz/fsys/memfs"
)

// Memory is a model of Host: the same operations give the same results and the same trees, links and the way out of the
// root included. The root is "/root" of a larger tree, so that there is an outside to reach.
func TestMemoryIsLikeHost(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		dir, err := os.MkdirTemp(t.TempDir(), "")
		if err != nil {
			rt.Fatal(err)
		}
		defer os.RemoveAll(dir)
		compare(rt, openHost(t, dir), memfs.New())
	})
}

// compare carries out drawn operations on both file systems, which are empty, and wants the same of both.
func compare(rt *rapid.T, host, memory fsys.FS) {
	h, m := newSide(rt, host), newSide(rt, memory)
	defer h.close()
	for range rapid.IntRange(1, 40).Draw(rt, "steps") {
		op := drawOp(rt)
		inHost, inMemory := op.run(h), op.run(m)
		if inHost != inMemory {
			rt.Fatalf("%v: host says %s, memory %s\nhost:\n%s\nmemory:\n%s", op, inHost, inMemory, h.tree(rt), m.tree(rt))
		}
		if a, b := h.tree(rt), m.tree(rt); a != b {
			rt.Fatalf("after %v\nhost:\n%s\nmemory:\n%s", op, a, b)
		}
	}
}

// side is one of the two file systems that are compared.
type side struct {
	outer, root fsys.FS
	base        string // host path of the outer root, which absolute link texts begin with
}

func newSide(t *rapid.T, outer fsys.FS) *side {
	for _, d := range []string{"/root", "/out", "/out/a"} {
		if err := outer.Mkdir(d, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	root, err := outer.Sub("/root")
	if err != nil {
		t.Fatal(err)
	}
	return &side{outer, root, strings.TrimSuffix(outer.HostPath("/"), "/")}
}

func (s *side) close() {
	_ = s.root.Close()
	_ = s.outer.Close()
}

func (s *side) tree(t *rapid.T) string {
	lines, err := fsystest.Snapshot(s.outer, "/")
	if err != nil {
		t.Fatal(err)
	}
	return strings.ReplaceAll(strings.Join(lines, "\n"), s.base+"/", "/")
}

type op struct{ what, a, b string }

func (o op) String() string { return fmt.Sprintf("%s %q %q", o.what, o.a, o.b) }

func drawOp(t *rapid.T) op {
	return op{
		what: rapid.SampledFrom([]string{
			"mkdir", "mkdir", "mkdirall", "write", "write", "excl", "append", "symlink", "symlink", "symlink", "rename", "rename",
			"remove", "removeall", "chmod", "chtimes", "link", "lock",
			"stat", "lstat", "list", "readfile", "nofollow", "readlink", "realpath", "sub",
		}).Draw(t, "op"),
		a: drawName(t, "a"),
		b: drawName(t, "b"),
	}
}

func drawName(t *rapid.T, label string) string {
	return "/" + path.Join(rapid.SliceOfN(rapid.SampledFrom([]string{"a", "b", "c"}), 1, 3).Draw(t, label)...)
}

// text makes of a name the text of a link: relative, absolute, climbing.
func (s *side) text(name string) string {
	switch len(name) % 3 {
	case 0:
		return strings.Replace(name[1:], "c", "..", 1)
	case 1:
		return s.base + strings.Replace(strings.Replace("/root"+name, "/root/a/c", "/out/a", 1), "/c", "/../root", 1)
	}
	return strings.NewReplacer("a", "../out", "b", "../root", "c", "a").Replace(name[1:])
}

// run carries out o and says what came of it, in words that both sides share.
func (o op) run(s *side) string {
	f := s.root
	switch o.what {
	case "mkdir":
		return outcome(f.Mkdir(o.a, 0o755))
	case "mkdirall":
		return outcome(f.MkdirAll(o.a, 0o755))
	case "write":
		return outcome(open(f, o.a, o.b, os.O_WRONLY|os.O_CREATE|os.O_TRUNC))
	case "excl":
		return outcome(open(f, o.a, o.b, os.O_WRONLY|os.O_CREATE|os.O_EXCL))
	case "append":
		return outcome(open(f, o.a, o.b, os.O_WRONLY|os.O_APPEND))
	case "symlink":
		return outcome(f.Symlink(s.text(o.b), o.a))
	case "rename":
		return outcomeOfTwo(f.Rename(o.a, o.b))
	case "remove":
		return outcome(f.Remove(o.a))
	case "removeall":
		return outcome(f.RemoveAll(o.a))
	case "chmod":
		return outcome(f.Chmod(o.a, 0o700))
	case "chtimes":
		return outcome(f.Chtimes(o.a, time.Unix(1, 0), time.Unix(int64(len(o.b)), 7)))
	case "link":
		return outcomeOfTwo(f.(interface{ Link(a, b string) error }).Link(o.a, o.b))
	case "lock":
		l, err := fsys.TryLock(f, o.a, fsys.Exclusive)
		if err == nil {
			err = l.Unlock()
		}
		return outcome(err)
	case "stat", "lstat":
		look := f.Lstat
		if o.what == "stat" {
			look = f.StatInfo
		}
		info, err := look(o.a)
		if err != nil {
			return outcome(err)
		}
		switch info.Kind {
		case fsys.Link:
			info.Size = 0 // the texts differ
		case fsys.Dir:
			info.Size, info.Nlink = 0, 0 // the file system's own business
		}
		return fmt.Sprint(info.Kind, info.Perm, info.Nlink, info.Size)
	case "list":
		entries, err := f.List(o.a)
		return fmt.Sprint(len(entries), outcome(err))
	case "readfile":
		data, info, err := f.ReadFile(o.a, 4)
		return fmt.Sprintf("%q %v %s", data, info.Kind, outcome(err))
	case "nofollow":
		r, err := f.OpenNoFollow(o.a)
		if err == nil {
			err = r.Close()
		}
		return outcome(err)
	case "readlink":
		text, err := f.Readlink(o.a)
		return strings.Replace(text, s.base+"/", "/", 1) + outcome(err)
	case "realpath":
		real, err := f.RealPath(o.a)
		return real + outcome(err)
	case "sub":
		d, err := f.Sub(o.a)
		if err == nil {
			err = d.Close()
		}
		return outcome(err)
	}
	panic(o.what)
}

func open(f fsys.FS, name, data string, flag int) error {
	w, err := f.OpenFile(name, flag, 0o644)
	if err != nil {
		return err
	}
	_, err = w.WriteString(data)
	return errors.Join(err, w.Close())
}

// outcomeOfTwo does not tell which of two names was looked at first, and so not why it failed.
func outcomeOfTwo(err error) string {
	if err == nil {
		return "ok"
	}
	if o := outcome(err); strings.HasPrefix(o, "unexpected") {
		return o
	}
	return "refused"
}

// outcome is the class of an error. Where several reasons hold at once, systems differ in which they tell.
func outcome(err error) string {
	switch {
	case err == nil:
		return "ok"
	case errors.Is(err, fsys.ErrOutside):
		return "outside"
	case errors.Is(err, fs.ErrNotExist):
		return "absent"
	case errors.Is(err, fs.ErrExist), errors.Is(err, syscall.ENOTEMPTY), errors.Is(err, syscall.EISDIR), errors.Is(err, syscall.ENOTDIR):
		return "in the way"
	}
	for _, e := range []error{fsys.ErrTooLong, fsys.ErrNotRegular, fsys.ErrLocked, syscall.ELOOP, syscall.EINVAL, syscall.EBUSY, syscall.EPERM} {
		if errors.Is(err, e) {
			return e.Error()
		}
	}
	return "unexpected: " + err.Error()
}
