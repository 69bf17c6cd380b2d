package tree

import (
	"context"
	"errors"
	"io/fs"
	"slices"
	"strings"
	"testing"

	"github.com/spf13/afero"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/pattern"
)

// keeper is a Lister that knows what it is told, and ignores what has "ignored" in its path. It counts how often it is asked.
type keeper struct {
	fs         *fsys.MemFS
	all        string
	asked, new int
	fails      error
}

func (k *keeper) All(context.Context) ([]Listed, error) {
	k.asked++
	var list []Listed
	for name := range strings.FieldsSeq(k.all) {
		l := Listed{Path: name, Tracked: true}
		l.Path, l.Whole = strings.CutSuffix(l.Path, "/")
		if rest, ok := strings.CutPrefix(l.Path, "?"); ok {
			l.Path, l.Tracked = rest, false
		}
		list = append(list, l)
	}
	slices.SortFunc(list, func(a, b Listed) int { return strings.Compare(a.Path, b.Path) })
	return list, k.fails
}

func (k *keeper) New(_ context.Context, names []string) (list []Listed, err error) {
	k.new++
	for _, n := range names {
		_ = afero.Walk(k.fs, n, func(path string, info fs.FileInfo, err error) error {
			if err == nil && !info.IsDir() && !strings.Contains(path, "ignored") {
				list = append(list, Listed{Path: path})
			}
			return nil
		})
	}
	return list, k.fails
}

func put(t *testing.T, disk *fsys.MemFS, names string) {
	t.Helper()
	for name := range strings.FieldsSeq(names) {
		if err := disk.MkdirAll(pattern.Parent(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := afero.WriteFile(disk, name, []byte(name), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

func selected(t *testing.T, tr *Tree, p pattern.Pattern) string {
	t.Helper()
	found, missing, err := tr.Inputs(t.Context(), []pattern.Pattern{p}, nil)
	if err != nil || len(missing) > 0 {
		t.Fatal(missing, err)
	}
	var paths []string
	for _, m := range found {
		paths = append(paths, m.Path)
	}
	return strings.Join(paths, " ")
}

// PATH-025: with nobody to ask, all but hidden folders and node_modules, and without projects in it. No folder is a file, be it empty.
func TestListedWithoutLister(t *testing.T) {
	disk := fsys.Memory()
	put(t, disk, "/a/x /a/.env /a/src/y /a/.git/config /a/.cache/z /a/node_modules/m/i /a/src/node_modules/i /a/sub/n /a/subs/n /b/x")
	if err := disk.MkdirAll("/a/empty", 0o755); err != nil {
		t.Fatal(err)
	}
	for _, tr := range []*Tree{New(disk), New(disk).WithFiles(NewFiles(nil)), New(disk).WithFilesOf(nil)} {
		if got, want := selected(t, tr, pattern.Listed("/a", []string{"/a/sub"})), "/a/.env /a/src/y /a/subs/n /a/x"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if got, want := selected(t, New(disk), pattern.Listed("/", []string{"/a"})), "/b/x"; got != want {
		t.Errorf("of the root: got %s, want %s", got, want)
	}
}

// With a Lister, what is listed and there, and no more, wherever it lies; what it knows no more of, as without one.
func TestListed(t *testing.T) {
	disk := fsys.Memory()
	put(t, disk, "/a/x /a/.env /a/new /a/.hid/y /a/node_modules/kept /a/node_modules/m /a/ignored /a/out/o /a/mod/f /a/mod/.git/config /a/mod/.hid/f /a/mod/node_modules/f /a/sub/n /a/was/now/here")
	k := &keeper{fs: disk, all: "/a/x /a/.env ?/a/new /a/.hid/y /a/node_modules/kept /a/gone /a/gonedir/f /a/mod/ /a/sub/n /a/out/o /a/was /b/x"}
	made, err := pattern.Parse("/a/out/")
	if err != nil {
		t.Fatal(err)
	}
	p := pattern.Listed("/a", []string{"/a/sub"}).Except([]pattern.Pattern{made})
	tr := New(disk).WithFiles(NewFiles(k))
	want := "/a/.env /a/.hid/y /a/mod/f /a/new /a/node_modules/kept /a/was/now/here /a/x"
	for range 2 {
		if got := selected(t, tr, p); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
	if k.asked != 1 || k.new != 0 {
		t.Errorf("asked %d times, %d times for what has come", k.asked, k.new)
	}
	for _, c := range []struct{ glob, want string }{{"/a/x", "/a/x"}, {"/a/**", "/a/.env"}, {"/a/new", ""}, {"/a/ignored", ""}, {"/a/src/**", ""}, {"/a/*/kept", "/a/node_modules/kept"}, {"/zz/**", ""}} {
		g, err := pattern.Parse(c.glob)
		if err != nil {
			t.Fatal(err)
		}
		if got := tr.Tracked(g); got != c.want {
			t.Errorf("tracked of %s: %q, want %q", c.glob, got, c.want)
		}
	}
}

// What has come since the list was made is asked about, once; what was there and is not listed never is.
func TestListedLater(t *testing.T) {
	disk := fsys.Memory()
	put(t, disk, "/a/x /a/src/y /a/ignored/i /a/out/o /a/sub/n")
	k := &keeper{fs: disk, all: "/a/x /a/src/y /a/sub/n"}
	made, err := pattern.Parse("/a/out/")
	if err != nil {
		t.Fatal(err)
	}
	p := pattern.Listed("/a", []string{"/a/sub"}).Except([]pattern.Pattern{made})
	files := NewFiles(k)
	look := func() string { return selected(t, New(disk).WithFiles(files), p) } // as from one look to the next
	if err := New(disk).WithFiles(files).Load(t.Context(), []pattern.Pattern{p}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		come, want string
		asked      int
	}{
		{"", "/a/src/y /a/x", 0},
		{"/a/out/more /a/sub/more /a/ignored/more", "/a/src/y /a/x", 0},
		{"/a/src/z /a/ignored2", "/a/src/y /a/src/z /a/x", 1},
		{"", "/a/src/y /a/src/z /a/x", 1},
		{"/a/deep/er/f /a/deep/ignored", "/a/deep/er/f /a/src/y /a/src/z /a/x", 2},
		{"/a/deep/er/g", "/a/deep/er/f /a/deep/er/g /a/src/y /a/src/z /a/x", 3},
		{"/a/deep/ignored /a/ignored2", "/a/deep/er/f /a/deep/er/g /a/src/y /a/src/z /a/x", 3},
	} {
		put(t, disk, c.come)
		if got := look(); got != c.want || k.new != c.asked {
			t.Errorf("%s came: got %s, asked %d times; want %s, %d", c.come, got, k.new, c.want, c.asked)
		}
	}
	if k.asked != 1 {
		t.Errorf("all was listed %d times", k.asked)
	}
	if err := disk.Remove("/a/x"); err != nil {
		t.Fatal(err)
	}
	if got, want := look(), "/a/deep/er/f /a/deep/er/g /a/src/y /a/src/z"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// A file that was there before the first task of another project looked is not listed because of that: what lies in all projects is noted when
// the list is made, so that a new file is new for whoever looks first.
func TestListedFirstLook(t *testing.T) {
	disk := fsys.Memory()
	put(t, disk, "/a/x /b/y")
	k := &keeper{fs: disk, all: "/a/x /b/y"}
	a, b := pattern.Listed("/a", nil), pattern.Listed("/b", nil)
	tr := New(disk).WithFiles(NewFiles(k))
	if err := tr.Load(t.Context(), []pattern.Pattern{a, b}); err != nil {
		t.Fatal(err)
	}
	put(t, disk, "/b/new")
	if got := selected(t, New(disk).WithFilesOf(tr), b); got != "/b/new /b/y" {
		t.Errorf("got %s", got)
	}
}

// Who cannot be asked is not asked again, and nothing is selected instead.
func TestListedFails(t *testing.T) {
	disk := fsys.Memory()
	put(t, disk, "/a/x")
	k := &keeper{fs: disk, fails: errors.New("no")}
	tr := New(disk).WithFiles(NewFiles(k))
	for range 2 {
		if _, _, err := tr.Inputs(t.Context(), []pattern.Pattern{pattern.Listed("/a", nil)}, nil); !errors.Is(err, k.fails) {
			t.Errorf("got %v", err)
		}
		if err := tr.Load(t.Context(), nil); !errors.Is(err, k.fails) {
			t.Errorf("got %v", err)
		}
	}
	if k.asked != 1 {
		t.Errorf("asked %d times", k.asked)
	}
}
