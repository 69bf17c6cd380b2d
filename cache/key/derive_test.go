package key

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/fsys/tree"
	"github.com/haz-build/haz/workspace"
)

// bed is a workspace in memory with the project /p and one task in it.
type bed struct {
	t    testing.TB
	fs   *memfs.FS
	task workspace.Task
}

func newBed(t testing.TB, inputs ...string) *bed {
	b := &bed{t: t, fs: memfs.New()}
	b.task = workspace.Task{ID: workspace.TaskID{Project: "p", Task: "t"}, Project: &workspace.Project{Name: "p", Dir: "/p"},
		Kind: workspace.Command, Argv: []string{"true"}, Inputs: patterns(t, "/p", inputs...)}
	b.do("dir .")
	return b
}

func (b *bed) must(err error) {
	b.t.Helper()
	if err != nil {
		b.t.Fatal(err)
	}
}

// do changes the tree: "write a text", "mode a 755", "link a text", "dir a", "rm a", "move a b".
func (b *bed) do(script ...string) {
	b.t.Helper()
	for _, line := range script {
		verb, rest, _ := strings.Cut(line, " ")
		name, arg, _ := strings.Cut(rest, " ")
		name = fsys.Clean("/p/" + name)
		if verb != "rm" && verb != "dir" {
			b.must(b.fs.MkdirAll(name[:strings.LastIndexByte(name, '/')], 0o755))
		}
		switch verb {
		case "write":
			f, err := b.fs.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
			b.must(err)
			_, err = f.Write([]byte(arg))
			b.must(err)
			b.must(f.Close())
		case "mode":
			var perm uint32
			_, err := fmt.Sscanf(arg, "%o", &perm)
			b.must(err)
			b.must(b.fs.Chmod(name, fsys.PermMode(perm)))
		case "link":
			b.must(b.fs.Symlink(arg, name))
		case "dir":
			b.must(b.fs.MkdirAll(name, 0o755))
		case "rm":
			b.must(b.fs.RemoveAll(name))
		case "move":
			b.must(b.fs.Rename(name, "/p/"+arg))
		default:
			b.t.Fatalf("what is %q?", line)
		}
	}
}

func deriverOn(f fsys.FS) *Deriver {
	return NewDeriver(Options{FS: f, Tree: tree.New(f), State: state.Open(f, digest.BLAKE3)})
}

func (b *bed) derive() (*Derived, error) {
	return deriverOn(b.fs).Derive(context.Background(), &b.task, nil)
}

func (b *bed) mustDerive() *Derived {
	b.t.Helper()
	at, err := b.derive()
	b.must(err)
	return at
}

// describe lists inputs in one line.
func describe(inputs []Input) string {
	var parts []string
	for _, in := range inputs {
		s := fmt.Sprintf("%c %s", in.Kind, strings.TrimPrefix(in.Path, "/p/"))
		if in.Exec {
			s += "*"
		}
		if in.Kind == LinkInput {
			s += fmt.Sprintf("->%s %s", in.LinkText, map[byte]string{TargetAbsent: "nothing", TargetFile: "a file", TargetDir: "a directory"}[in.Target])
		}
		parts = append(parts, s)
	}
	return strings.Join(parts, ", ")
}

// What becomes of what the patterns match (5.2, 5.3).
func TestInputs(t *testing.T) {
	tree := []string{"write a.c int", "write b.sh #!", "mode b.sh 744", "write d/x x", "write d/y y", "dir empty", "link f a.c", "link g b.sh",
		"link gone nowhere", "link loop loop", "link out /outside", "write ../outside/z z", "write \xff x"}
	for _, c := range []struct{ inputs, want string }{
		{"a.c", "f a.c"},
		{"b.sh", "f b.sh*"},
		{"a.c *.c {a,b}.*", "f a.c, f b.sh*"}, // one item per path
		{"f", "l f->a.c a file"},
		{"g", "l g*->b.sh a file"},
		{"?", "l f->a.c a file, l g*->b.sh a file, f \xff"},
		{"d/*", "f d/x, f d/y"},
		{"empt?", "d empty"},
		{"gon*", "l gone->nowhere nothing"},
		{"loo?", "l loop->loop nothing"},
		{"o*/**", "l out->/outside a directory, f out/z"},
		{"none/*", ""},
		{"", ""},
		{"nothing", "! input /p/nothing does not exist"},
		{"a.c/b", "! input /p/a.c/b does not exist"},
		{"d", "f d/x, f d/y"},
		{"d/", "f d/x, f d/y"},
		{"d/ d", "f d/x, f d/y"},
		{"a.c/", "! input /p/a.c/ is a file, not a folder [write `/p/a.c`]"},
		{"none/", "! input /p/none/ does not exist"},
		{"gone", "! input /p/gone is a link to nothing (\"nowhere\")"},
		{"loop", "! input /p/loop is a link to nothing (\"loop\")"},
		{"out", "l out->/outside a directory, f out/z"},
	} {
		b := newBed(t, strings.Fields(c.inputs)...)
		b.do(tree...)
		at, err := b.derive()
		var e *Error
		switch {
		case err == nil:
			if got := describe(at.Inputs); got != c.want {
				t.Errorf("%s:\ngot  %s\nwant %s", c.inputs, got, c.want)
			}
		case errors.As(err, &e):
			got := "! " + e.Reason
			if e.Hint != "" {
				got += " [" + e.Hint + "]"
			}
			if got != c.want || e.Path == "" || e.Err == nil {
				t.Errorf("%s:\ngot  %s\nwant %s", c.inputs, got, c.want)
			}
		default:
			t.Errorf("%s: %v is no *Error", c.inputs, err)
		}
	}
}

// The execute bit of a link is that of the content, and its digest too.
func TestLinkInputTellsOfItsContent(t *testing.T) {
	b := newBed(t, "g")
	b.do("write b.sh text", "mode b.sh 744", "link g b.sh")
	in := b.mustDerive().Inputs[0]
	if !in.Exec || in.Digest != hasher.Sum(digest.BLAKE3, []byte("text")) || in.TargetInfo.Kind != fsys.File || in.Info.Kind != fsys.Link {
		t.Errorf("%+v", in)
	}
	info, d, ok := b.mustDerive().Input("/p/g")
	if !ok || !info.Same(in.Info) || d != in.Digest {
		t.Errorf("looked up: %+v", info)
	}
	if _, _, ok := b.mustDerive().Input("/p/b.sh"); ok {
		t.Error("what the link leads to is no input")
	}
}

// exclude takes matches of globs away (haz::cfg::037), and is not in the key itself (CACHE-001).
func TestExclude(t *testing.T) {
	b := newBed(t, "**")
	b.do("write a x", "write node_modules/b y")
	b.task.Exclude = patterns(t, "/p", "node_modules/**", "unused")
	at := b.mustDerive()
	if got := describe(at.Inputs); got != "f a" {
		t.Errorf("got %s", got)
	}
	b.task.Exclude = nil
	b.do("rm node_modules")
	if again := b.mustDerive(); again.Key != at.Key {
		t.Error("the patterns of exclude are in the key")
	}
}

// Times, owners and where it was read are not in the key; the same tree elsewhere has the same one, whatever the index knows.
func TestEqualTreesHaveEqualKeys(t *testing.T) {
	a, b := newBed(t, "**"), newBed(t, "**")
	tree := []string{"write a x", "write d/b y", "link l a", "dir e"}
	a.do(tree...)
	b.fs.Advance(time.Hour)
	b.do(append(tree, "write other/x z", "rm other")...)
	if a.mustDerive().Key != b.mustDerive().Key {
		t.Error("the keys differ")
	}
	b.fs.Advance(time.Hour)
	d := deriverOn(b.fs)
	first, err := d.Derive(context.Background(), &b.task, nil)
	b.must(err)
	d.o.State.Flush()
	if again := b.mustDerive(); again.Key != first.Key || again.Key != a.mustDerive().Key {
		t.Error("with the index the key differs")
	}
}

// unreadable cannot read one file.
type unreadable struct {
	*memfs.FS
	name string
	err  error
	left int // times
}

func (u *unreadable) ReadFile(name string, limit int64) ([]byte, fsys.Info, error) {
	if name == u.name && u.left > 0 {
		u.left--
		return nil, fsys.Info{}, &fs.PathError{Op: "open", Path: name, Err: u.err}
	}
	return u.FS.ReadFile(name, limit)
}

func (u *unreadable) ReadUnwritten(name string, limit int64) ([]byte, fsys.Info, bool, error) {
	data, info, err := u.ReadFile(name, limit)
	_, unwritten := u.FS.Unwritten(name)
	return data, info, unwritten && err == nil, err
}

func TestUnreadableInput(t *testing.T) {
	b := newBed(t, "*")
	b.do("write a x", "write b x")
	_, err := deriverOn(&unreadable{b.fs, "/p/b", fs.ErrPermission, 99}).Derive(context.Background(), &b.task, nil)
	var e *Error
	if !errors.As(err, &e) || e.Path != "/p/b" || e.Reason != "input /p/b cannot be read: permission denied" || !errors.Is(err, fs.ErrPermission) {
		t.Errorf("got %v", err)
	}
}

// A file that vanishes between walk and reading is a reason to look again, not to fail.
func TestInputsThatMoveUnderUs(t *testing.T) {
	b := newBed(t, "*")
	b.do("write a x", "write b x")
	f := &unreadable{b.fs, "/p/b", fs.ErrNotExist, 1}
	d := deriverOn(f)
	at, err := d.Derive(context.Background(), &b.task, nil)
	if err != nil || at.Key != b.mustDerive().Key {
		t.Errorf("got %v", err)
	}
	f.left = 99
	if _, err := d.Derive(context.Background(), &b.task, nil); err == nil || err.Error() != "input /p/b cannot be read: file does not exist" {
		t.Errorf("got %v", err)
	}
}

func TestDeriveEndsWithItsContext(t *testing.T) {
	for _, inputs := range [][]string{nil, {"*"}} {
		b := newBed(t, inputs...)
		b.do("write a x")
		ctx, cancel := context.WithCancel(context.Background())
		d := deriverOn(b.fs)
		at, err := d.Derive(ctx, &b.task, nil)
		b.must(err)
		cancel()
		if _, err := d.Derive(ctx, &b.task, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("derive: %v", err)
		}
		if _, err := d.Moved(ctx, &b.task, at, nil); !errors.Is(err, context.Canceled) {
			t.Errorf("moved: %v", err)
		}
	}
}

// Several workers derive at once.
func TestDeriveConcurrently(t *testing.T) {
	b := newBed(t, "**")
	for i := range 20 {
		b.do(fmt.Sprintf("write d%d/a %d", i%5, i), fmt.Sprintf("write a%d x", i))
	}
	b.fs.Advance(time.Hour)
	d := deriverOn(b.fs)
	want := b.mustDerive()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				at, err := d.Derive(context.Background(), &b.task, nil)
				if err != nil || !reflect.DeepEqual(at, want) {
					t.Errorf("got %v, %v", at, err)
					return
				}
				if moved, err := d.Moved(context.Background(), &b.task, at, nil); err != nil || moved.Any() {
					t.Errorf("moved %q, %v", moved, err)
				}
			}
		})
	}
	wg.Wait()
	d.o.State.Flush()
}

func BenchmarkDerive(b *testing.B) {
	for _, n := range []int{4, 1000} {
		b.Run(fmt.Sprintf("unchanged/inputs=%d", n), func(b *testing.B) {
			disk, err := fsys.Host(b.TempDir())
			if err != nil {
				b.Fatal(err)
			}
			defer disk.Close()
			if err := disk.MkdirAll("/p/src", 0o755); err != nil {
				b.Fatal(err)
			}
			old := time.Now().Add(-time.Hour)
			for i := range n {
				name := fmt.Sprintf("/p/src/%d.c", i)
				f, err := disk.Create(name)
				if err != nil {
					b.Fatal(err)
				}
				_ = f.Close()
				if err := disk.Chtimes(name, old, old); err != nil {
					b.Fatal(err)
				}
			}
			d := deriverOn(disk)
			// ctime cannot be set: what the index would know in two seconds it is told.
			for i := range n {
				name := fmt.Sprintf("/p/src/%d.c", i)
				info, _ := disk.StatInfo(name)
				d.o.State.RememberAt(name, info, digest.Digest{1}, time.Now().Add(time.Hour).UnixNano())
			}
			task := workspace.Task{Project: &workspace.Project{Dir: "/p"}, Kind: workspace.Command, Argv: []string{"cc"}, Inputs: patterns(b, "/p", "src/*.c")}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := d.Derive(context.Background(), &task, nil); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
