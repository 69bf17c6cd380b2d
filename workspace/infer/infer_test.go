package infer_test

import (
	"context"
	"fmt"
	"path"
	"strings"
	"testing"

	"github.com/spf13/afero"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/workspace/infer"
)

// reader gives what it is told to.
type reader struct {
	name  string
	found infer.Found
}

func (r reader) Name() string                                  { return r.name }
func (r reader) Reads(string) bool                             { return false }
func (r reader) Read(context.Context, *infer.Disk) infer.Found { return r.found }

func TestAllIsInOneOrder(t *testing.T) {
	at := func(line int) diag.Place { return diag.Place{File: "m", Line: line, Column: 1} }
	one := reader{"one", infer.Found{
		Projects: []infer.Project{{Reader: "one", Dir: "/b"}, {Reader: "one", Dir: "/a"}},
		Edges: []infer.Edge{{From: "/b", To: "/a", Kind: "x", Place: at(2)}, {From: "/b", To: "/a", Kind: "x", Place: at(1)},
			{From: "/a", To: "/b", Kind: "y", Place: at(1)}, {From: "/b", To: "/a", Kind: "x", Place: at(2)}},
		Mistakes: diag.List{{Message: "z", Place: at(9)}},
	}}
	two := reader{"two", infer.Found{Projects: []infer.Project{{Reader: "two", Dir: "/a"}}, Mistakes: diag.List{{Message: "y", Place: at(3)}}}}
	got := infer.All(t.Context(), fsys.Memory(), one, two)
	var b strings.Builder
	for _, p := range got.Projects {
		fmt.Fprintf(&b, "%s by %s\n", p.Dir, p.Reader)
	}
	for _, e := range got.Edges {
		fmt.Fprintf(&b, "%s > %s %s %d\n", e.From, e.To, e.Kind, e.Place.Line)
	}
	for _, d := range got.Mistakes {
		fmt.Fprintf(&b, "%s\n", d.Message)
	}
	const want = "/a by one\n/a by two\n/b by one\n/a > /b y 1\n/b > /a x 1\n/b > /a x 2\ny\nz\n"
	if b.String() != want {
		t.Errorf("got\n%swant\n%s", b.String(), want)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if got := infer.All(ended, fsys.Memory(), one); len(got.Projects) > 0 {
		t.Errorf("after the end: %v", got)
	}
}

// looker looks for some files.
type looker struct{ reader }

func (looker) Read(ctx context.Context, d *infer.Disk) infer.Found {
	_, _ = d.Manifest("/a[b")
	d.Has("/has")
	d.Head("/head", 1)
	g, _ := infer.NewGlob("/", "p/{a,*}", "m", false)
	d.Folders(ctx, infer.Members{Take: []infer.Glob{g}})
	return infer.Found{}
}

func TestWhatWasLookedForIsKnown(t *testing.T) {
	got := strings.Join(infer.All(t.Context(), fsys.Memory(), looker{}).Looked, " ")
	if want := `/a\[b /has /head /p/*/m /p/a/m`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

func TestManifest(t *testing.T) {
	f := fsys.Memory()
	write(t, f, "/ok", "\ufeffa\r\nb: ü x\n")
	write(t, f, "/bad", "fine\nnot \xff\n")
	write(t, f, "/long", strings.Repeat("x", infer.ManifestMax+1))
	if err := f.MkdirAll("/dir/sub", 0o777); err != nil {
		t.Fatal(err)
	}
	d := infer.NewDisk(f)
	for name, want := range map[string]string{"/bad": "bad:2:5 the file is not UTF-8", "/long": "long:0:0 the file is larger than 16 MiB",
		"/dir": "dir:0:0 this is a directory, not a file"} {
		text, bad := d.Manifest(name)
		if text != nil || bad == nil {
			t.Fatalf("%s was read", name)
		}
		if got := fmt.Sprintf("%s:%d:%d %s", bad.Place.File, bad.Place.Line, bad.Place.Column, bad.Message); got != want || bad.Code != infer.RuleBroken {
			t.Errorf("%s: %s %s, want %s", name, bad.Code, got, want)
		}
	}
	if text, bad := d.Manifest("/none"); text != nil || bad != nil {
		t.Errorf("what is not there: %v %v", text, bad)
	}
	text, bad := d.Manifest("/ok")
	if bad != nil {
		t.Fatal(bad.Message)
	}
	for _, tc := range []struct {
		start, end int
		want       diag.Place
	}{
		{0, 1, diag.Place{File: "ok", Line: 1, Column: 4, EndLine: 1, EndColumn: 5, Source: "\ufeffa"}},
		{3, 4, diag.Place{File: "ok", Line: 2, Column: 1, EndLine: 2, EndColumn: 2, Source: "b: ü x"}},
		{9, 99, diag.Place{File: "ok", Line: 2, Column: 7, EndLine: 3, EndColumn: 1, Source: "b: ü x"}},
		{99, 0, diag.Place{File: "ok", Line: 3, Column: 1, EndLine: 3, EndColumn: 1}},
	} {
		if got := text.Place(tc.start, tc.end); got != tc.want {
			t.Errorf("%d to %d: %+v, want %+v", tc.start, tc.end, got, tc.want)
		}
	}
	if m := infer.NewText("/x/y", "ab").Mistake("R", 1, 2, "m"); m.Code != "R" || m.Place.Column != 2 || m.Place.File != "x/y" {
		t.Errorf("%+v", m)
	}
	if !d.Has("/ok") || d.Has("/dir") || d.Has("/none") || len(d.List("/dir")) != 1 || d.List("/ok") != nil {
		t.Error("what is there, and what is not")
	}
	if err := f.Symlink("dir/sub", "/link"); err != nil {
		t.Fatal(err)
	}
	if got := d.RealDir("/link") + d.RealDir("/ok") + d.RealDir("/none"); got != "/dir/sub" {
		t.Errorf("directories: %s", got)
	}
}

// TestPlacesInOneLine: a list of many names in one line costs one copy of that line, not one for each name.
func TestPlacesInOneLine(t *testing.T) {
	text := infer.NewText("/f", "one\n"+strings.Repeat("name, ", 10000)+"\nthree\n")
	if got := text.Place(4, 8).Source + text.Place(0, 1).Source + text.Place(16, 18).Source; len(got) != 60000+3+60000 {
		t.Errorf("%d bytes of source", len(got))
	}
	at := 4
	if n := testing.AllocsPerRun(100, func() { text.Place(at, at+4); at += 6 }); n > 0 {
		t.Errorf("%v allocations a place", n)
	}
}

func write(t *testing.T, f fsys.FS, name, text string) {
	t.Helper()
	if err := f.MkdirAll(path.Dir(name), 0o777); err != nil {
		t.Fatal(err)
	}
	if err := afero.WriteFile(f, name, []byte(text), 0o666); err != nil {
		t.Fatal(err)
	}
}
