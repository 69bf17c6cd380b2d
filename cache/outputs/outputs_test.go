package outputs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/cache/manifest"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/pattern"
)

// What matches an output pattern, and what it is (the first table of 4.6). A star marks what the task wrote.
func TestKinds(t *testing.T) {
	for _, c := range []struct {
		name, pattern string
		run           []string
		want          string
	}{
		{"file", "a", []string{"write a x"}, "f a 644*"},
		{"file of a glob", "o/**", []string{"write o/a x", "write o/b/c y"}, "f o/a 644*, f o/b/c 644*"},
		{"absent", "bin/app", nil, "output-missing: declared output bin/app was not produced"},
		{"absent, below a file", "bin/app", []string{"write bin x"}, "output-missing: declared output bin/app was not produced"},
		{"glob without a match", "o/*", nil, ""},
		{"link (S-18)", "{a,b}", []string{"write b x", "link a b"}, "l a->b*, f b 644*"},
		{"link of a glob (S-18)", "o/*", []string{"link o/a ../b"}, "l o/a->../b*"},
		{"broken link (S-18)", "a", []string{"link a nowhere"}, "l a->nowhere*"},
		{"loop (S-17)", "*", []string{"link a a"}, "l a->a*"},
		{"link to a directory (S-18)", "{a,d/*}", []string{"write d/x x", "link a d"}, "l a->d*, f d/x 644*"},
		{"absolute link", "a", []string{"link a /etc/passwd"}, "l a->/etc/passwd*"},
		{"directory (PATH-021)", "out", []string{"write out/x x", "dir out/y"}, "f out/x 644*, d out/y 755*"},
		{"empty directory as a literal (PATH-021)", "out", []string{"dir out"}, "d out 755"},
		{"folder (PATH-020)", "out/", []string{"write out/x/a x", "dir out/y"}, "f out/x/a 644*, d out/y 755*"},
		{"empty folder (PATH-020)", "out/", []string{"dir out"}, "d out 755"},
		{"folder that was not made (PATH-020)", "out/", nil, "output-missing: declared output out was not produced"},
		{"folder that is a file (PATH-020)", "out/", []string{"write out x"}, "output-kind: declared output out is no folder [for whatever lies there write `out`]"},
		{"folder that is a link (PATH-020)", "out/", []string{"write real/x x", "link out real"}, "f out/x 644*"},
		{"folders of a glob (PATH-020)", "*/out/", []string{"write a/out/x x", "dir b/out", "write c/out x"}, "f a/out/x 644*, d b/out 755*"},
		{"empty directory (S-19)", "o/**", []string{"dir o/a", "dir o/b/c"}, "d o/a 755*, d o/b/c 755*"},
		{"directory with something", "o/*", []string{"write o/a/x x"}, "d o 755"},
		{"prefix without anything", "o/**", []string{"dir o"}, "d o 755"},
		{"prefix with its own mode", "o/**", []string{"write o/a x", "mode o 555"}, "d o 555, f o/a 644*"},
		{"folders with their own mode", "o/*/x", []string{"write o/a/x x", "write o/b/x x", "mode o/a 700"}, "d o/a 700, f o/a/x 644*, f o/b/x 644*"},
		{"folder of a literal with its own mode", "o/x", []string{"write o/x x", "mode o 750"}, "d o 750, f o/x 644*"},
		{"special bits of a folder (S-21)", "o/**", []string{"write o/a x", "mode o 2755"},
			"f o/a 644* | /p/o has set-id or sticky bits (mode 2755), which no entry of the cache holds [let the task take them away (chmod), or narrow the output pattern so that it does not match]"},
		{"special bits that come from the folder above (S-21)", "o/**", []string{"dir o", "mode o 2755", "dir o/a", "mode o/a 2755", "write o/b/c x", "mode o/b 2755"},
			"d o/a 755*, f o/b/c 644* | /p/o has set-id or sticky bits (mode 2755), which no entry of the cache holds [let the task take them away (chmod), or narrow the output pattern so that it does not match]"},
		{".git of a clone", "o/**", []string{"write o/l/.git/HEAD x", "dir o/l/.git/refs", "write o/l/a x"},
			"f o/l/.git/HEAD 644*, d o/l/.git/refs 755*, f o/l/a 644*"},
		{"special bits (S-21)", "*", []string{"write a x", "mode a 6755", "dir d", "mode d 3700"},
			"f a 755*, d d 700* | /p/a has set-id or sticky bits (mode 6755), which no entry of the cache holds (and 1 more) [let the task take them away (chmod), or narrow the output pattern so that it does not match]"},
		{"mode", "a", []string{"write a x", "mode a 600"}, "f a 600*"},
		{"two patterns, one file", "{a,b}", []string{"write a x"}, "f a 644*"},
		{"name that is not UTF-8 (S-20)", "*", []string{"write a x", "write b\xff x"}, "f a 644* | the name of"},
		{"name with a line feed (S-20)", "*", []string{"write a\nb x"}, " | the name of"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newTask(t, c.pattern)
			w.begin()
			w.do(c.run...)
			got := text(w.collect())
			if got != c.want && !(strings.HasSuffix(c.want, "the name of") && strings.HasPrefix(got, c.want+" ")) {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// The table of S-22, its rows in order.
func TestAttribution(t *testing.T) {
	for _, c := range []struct {
		name    string
		pattern string
		had     []string // before the run
		made    []string // of these, by this task in an earlier run
		other   string   // of these, by p:a
		input   string   // of these, an input of the key
		sources string   // an input pattern
		run     []string
		want    string
	}{
		{name: "row 1, an input, unchanged", pattern: "*", had: []string{"write a x"}, input: "a", run: []string{"write b y"}, want: "f b 644*"},
		{name: "row 1, an input, a literal", pattern: "a", had: []string{"write a x"}, input: "a", want: ""},
		{name: "row 1, an input, the same bytes again", pattern: "*", had: []string{"write a x"}, input: "a", run: []string{"rm a", "write a x"}, want: ""},
		{name: "row 1, a link in the key", pattern: "*", had: []string{"link a x"}, input: "a", want: ""},
		{name: "row 1 goes before the product list and others", pattern: "*", had: []string{"write a x"}, made: []string{"a"}, input: "a", other: "a", want: ""},
		{name: "row 2, an input that changed", pattern: "*", had: []string{"write a x"}, input: "a", run: []string{"write a y"},
			want: "f a 644* | /p/a is an input too, and changed while the task ran (quiet)"},
		{name: "row 2, an input that may be executed now", pattern: "*", had: []string{"write a x"}, input: "a", run: []string{"mode a 755"},
			want: "f a 755* | /p/a is an input too, and changed while the task ran (quiet)"},
		{name: "row 2, an input that is a link now", pattern: "*", had: []string{"write a x"}, input: "a", run: []string{"rm a", "link a x"},
			want: "l a->x* | /p/a is an input too, and changed while the task ran (quiet)"},
		{name: "row 2 goes before the product list and others", pattern: "o/*", had: []string{"write o/a x"}, made: []string{"o/a"}, other: "o/a", input: "o/a",
			run: []string{"write o/a y"}, want: "f o/a 644* | /p/o/a is an input too, and changed while the task ran (quiet)"},
		{name: "row 3, a new file among the inputs", pattern: "src/*", sources: "src/**", run: []string{"write src/a x", "write src/b x"},
			want: "f src/a 644*, f src/b 644* | /p/src/a and 1 more are new among the inputs, and whether the task made it or somebody saved it meanwhile cannot be told" +
				" [where nobody edits what /p/src/* matches, because the task makes all of it, list it in exclude]"},
		{name: "row 3, a new literal is the task's", pattern: "a", sources: "*", run: []string{"write a x"}, want: "f a 644*"},
		{name: "row 4, new", pattern: "o/*", run: []string{"write o/a x"}, want: "f o/a 644*"},
		{name: "row 4, changed", pattern: "o/*", had: []string{"write o/a x"}, run: []string{"write o/a y"}, want: "f o/a 644*"},
		{name: "row 4, the same bytes again", pattern: "o/*", had: []string{"write o/a x"}, run: []string{"write o/a x"}, want: "f o/a 644*"},
		{name: "row 4, replaced with its times", pattern: "o/*", had: []string{"write o/a x"}, run: []string{"rm o/a", "write o/a x"}, want: "f o/a 644*"},
		{name: "row 4, mode alone", pattern: "o/*", had: []string{"write o/a x"}, run: []string{"mode o/a 755"}, want: "f o/a 755*"},
		{name: "row 4 goes before the product list and others", pattern: "o/*", had: []string{"write o/a x"}, made: []string{"o/a"}, other: "o/a",
			run: []string{"write o/a y"}, want: "f o/a 644*"},
		{name: "row 5, carried over", pattern: "o/*", had: []string{"write o/a x"}, made: []string{"o/a"}, run: []string{"write o/b y"}, want: "f o/a 644, f o/b 644*"},
		{name: "row 5, a link", pattern: "o/*", had: []string{"link o/a x"}, made: []string{"o/a"}, want: "l o/a->x"},
		{name: "row 5, an empty directory", pattern: "o/*", had: []string{"dir o/a"}, made: []string{"o/a"}, want: "d o/a 755"},
		{name: "row 5 goes before others", pattern: "o/*", had: []string{"write o/a x"}, made: []string{"o/a"}, other: "o/a", want: "f o/a 644"},
		{name: "a definition is nobody's", pattern: "**", had: []string{"write haz.yml x"}, run: []string{"write a x"}, want: "f a 644*"},
		{name: "a definition is nobody's, whatever the product list says", pattern: "**", had: []string{"write haz.yml x"}, made: []string{"haz.yml"}, want: ""},
		{name: "a definition that was edited is nobody's", pattern: "**", had: []string{"write haz.yml x"}, run: []string{"write haz.yml y"},
			want: " | /p/haz.yml says what the tasks are, and changed while the task ran"},
		{name: "row 6, a literal that was there", pattern: "a", had: []string{"write a x"},
			want: " | /p/a is a declared output but was there before, and the task did not write it" +
				" [if the task reads it, list it in inputs as well; otherwise delete it once, then run again]"},
		{name: "row 6, another's literal", pattern: "a", had: []string{"write a x"}, other: "a",
			want: " | /p/a is a declared output but was made by p:a [narrow the output patterns of p:a so that they do not match it]"},
		{name: "row 6, before", pattern: "out/*.txt", had: []string{"write out/a.txt x"}, run: []string{"write out/b.txt y"},
			want: "f out/b.txt 644* | /p/out/a.txt matches /p/out/*.txt but was there before [what earlier runs left in /p/out: delete it once, then run again; what is yours: narrow /p/out/*.txt so that it does not match]"},
		{name: "row 6, another's", pattern: "out/*.txt", had: []string{"write out/a.txt x"}, other: "out/a.txt",
			want: " | /p/out/a.txt matches /p/out/*.txt but was made by p:a [narrow /p/out/*.txt so that it does not match what p:a makes]"},
		{name: "row 6, one note for all", pattern: "out/**", had: []string{"write out/b/a x", "write out/c x", "write out/d/e/f x"},
			want: " | /p/out/b/a and 2 more match /p/out/** but were there before [what earlier runs left in /p/out: delete it once, then run again; what is yours: narrow /p/out/** so that it does not match]"},
		{name: "row 6, in two folders", pattern: "{g,h}/*", had: []string{"write g/a x", "write h/a x"},
			want: " | /p/g/a and 1 more match /p/{g,h}/* but were there before [what earlier runs left in /p/g and /p/h: delete it once, then run again; what is yours: narrow /p/{g,h}/* so that it does not match]"},
		{name: "row 6, a link", pattern: "o/*", had: []string{"link o/a x"}, want: " | /p/o/a matches /p/o/* but was there before [what earlier runs left in /p/o: delete it once, then run again; what is yours: narrow /p/o/* so that it does not match]"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newTask(t, c.pattern)
			w.do(c.had...)
			w.made(c.made...)
			if c.other != "" {
				w.makers["/p/"+c.other] = "p:a"
			}
			if c.input != "" {
				w.inputs["/p/"+c.input] = true
			}
			if c.sources != "" {
				w.reads(c.sources)
			}
			w.begin()
			w.do(c.run...)
			if got := text(w.collect()); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// Row 5 compares digests: what the user edited since is not the task's any more, whatever its stat.
func TestProductsIsComparedByDigest(t *testing.T) {
	w := newTask(t, "o/*")
	w.do("write o/a x")
	w.made("o/a")
	w.do("write o/a y")
	w.begin()
	if got, want := text(w.collect()), " | /p/o/a matches /p/o/* but was there before [what earlier runs left in /p/o: delete it once, then run again; what is yours: narrow /p/o/* so that it does not match]"; got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
	// Touched, with the same bytes: still the task's.
	w = newTask(t, "o/*")
	w.do("write o/a x")
	w.made("o/a")
	w.do("touch o/a")
	w.begin()
	if got, want := text(w.collect()), "f o/a 644"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	// Row 1 likewise: changed since key time is not as the key has it.
	w = newTask(t, "*")
	w.do("write a x")
	w.inputs["/p/a"] = true
	w.begin()
	w.key["/p/a"] = keyed{info: w.key["/p/a"].info}
	if got := text(w.collect()); !strings.Contains(got, "was there before") {
		t.Errorf("got %s", got)
	}
}

// 8.2: rows without a digest, those of a run that failed, count while the stat is equal.
func TestProductsWithoutDigest(t *testing.T) {
	for _, c := range []struct {
		between []string
		want    string
	}{
		{nil, "f o/a 644"},
		{[]string{"write o/a x"}, " | /p/o/a matches /p/o/* but was there before [what earlier runs left in /p/o: delete it once, then run again; what is yours: narrow /p/o/* so that it does not match]"},
	} {
		w := newTask(t, "o/*")
		w.begin()
		w.do("write o/a x")
		w.products.Files = w.wrote()
		w.do(c.between...)
		w.begin()
		if got := text(w.collect()); got != c.want {
			t.Errorf("%q: got %s, want %s", c.between, got, c.want)
		}
	}
}

func TestWritten(t *testing.T) {
	w := newTask(t, "o/**", "x")
	w.do("write o/old x", "write o/changed x", "link o/l a")
	w.begin()
	w.do("write o/changed y", "rm o/l", "link o/l b", "write o/new z", "dir o/d", "write other z")
	var got []string
	for _, p := range w.wrote() {
		if info, err := w.fs.Lstat(p.Path); err != nil || !info.Same(p.Info) || p.HasDigest {
			t.Errorf("%+v", p)
		}
		got = append(got, p.Path+p.LinkText)
	}
	if want := "/p/o/changed /p/o/d /p/o/lb /p/o/new"; strings.Join(got, " ") != want {
		t.Errorf("got %q, want %s", got, want)
	}
	if got := Written(context.Background(), w.fs, nil, nil, nil, nil); got != nil {
		t.Errorf("no patterns: %v", got)
	}
}

// Cancelled while collecting: presence and kind are looked at, nothing is read.
func TestPresenceOnly(t *testing.T) {
	w := newTask(t, "a", "o/*")
	w.do("write o/carried x", "write o/stranger x")
	w.made("o/carried")
	w.begin()
	w.presence = true
	if got, want := text(w.collect()), "output-missing: declared output a was not produced"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	w.do("write a x", "link o/l x")
	fsy := &unreadable{FS: w.fs, reads: map[string]int{}}
	c, err := Collect(context.Background(), fsy, state.Open(fsy, digest.BLAKE3), digest.BLAKE3, w.request())
	if err != nil {
		t.Fatal(err)
	}
	if got, want := text(c, nil), "f a 644*, f o/carried 644, l o/l->x* | "; !strings.HasPrefix(got, want) {
		t.Errorf("got %s, want %s", got, want)
	}
	for _, o := range c.Outputs {
		if !o.Digest.IsZero() || o.Kind == entry.File && o.Size != 1 {
			t.Errorf("%+v", o)
		}
	}
	if len(fsy.reads) > 0 || !c.Digest.IsZero() {
		t.Errorf("%v was read", fsy.reads)
	}
}

// unreadable is a tree in which no file below /p can be read.
type unreadable struct {
	*memfs.FS
	reads map[string]int
}

func (u *unreadable) ReadFile(name string, limit int64) ([]byte, fsys.Info, error) {
	if !strings.HasPrefix(name, "/p/") {
		return u.FS.ReadFile(name, limit)
	}
	u.reads[name]++
	return nil, fsys.Info{}, &os.PathError{Op: "open", Path: name, Err: os.ErrPermission}
}

func (u *unreadable) ReadUnwritten(name string, limit int64) ([]byte, fsys.Info, bool, error) {
	data, info, err := u.ReadFile(name, limit)
	_, unwritten := u.FS.Unwritten(name)
	return data, info, unwritten && err == nil, err
}

func TestUnreadableOutput(t *testing.T) {
	w := newTask(t, "o/*")
	w.do("write o/stranger x")
	w.begin()
	fsy := &unreadable{FS: w.fs, reads: map[string]int{}}
	st := state.Open(fsy, digest.BLAKE3)
	// A bystander need not be read.
	if got := text(Collect(context.Background(), fsy, st, digest.BLAKE3, w.request())); !strings.Contains(got, "was there before") {
		t.Errorf("got %s", got)
	}
	w.do("write o/a x")
	got := text(Collect(context.Background(), fsy, st, digest.BLAKE3, w.request()))
	if want := "output-unreadable: output o/a cannot be read: permission denied"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// The digest is that of the outputs; the product list gets them with their stat.
func TestCollectedDigestAndProducts(t *testing.T) {
	w := newTask(t, "o/**")
	w.begin()
	w.do("write o/a x", "link o/l a", "dir o/d")
	c, err := w.collect()
	if err != nil {
		t.Fatal(err)
	}
	want := []entry.Output{
		{Path: "/p/o/a", Kind: entry.File, Digest: hasher.Sum(digest.BLAKE3, []byte("x")), Size: 1, Mode: 0o644},
		{Path: "/p/o/d", Kind: entry.Dir, Mode: 0o755},
		{Path: "/p/o/l", Kind: entry.Link, Target: "a"},
	}
	if fmt.Sprint(c.Outputs) != fmt.Sprint(want) || c.Digest != manifest.OutputsDigest(digest.BLAKE3, want) {
		t.Errorf("got %+v", c.Outputs)
	}
	if len(c.Produced) != 3 {
		t.Fatalf("%d rows for the product list", len(c.Produced))
	}
	for i, p := range c.Produced {
		info, _ := w.fs.Lstat(p.Path)
		if p.Path != want[i].Path || !p.Info.Same(info) || p.Digest != want[i].Digest || p.HasDigest != (want[i].Kind == entry.File) || p.LinkText != want[i].Target {
			t.Errorf("%+v", p)
		}
	}
}

// Files that move while they are collected are no reason to fail, but none are stored.
func TestMovingOutputs(t *testing.T) {
	for name, c := range map[string]struct{ change, want string }{
		"changed":  {"write o/a longer", "f o/a 644* | /p/o/a changed while the outputs were collected"},
		"vanished": {"rm o/a", "d o 755 | /p/o/a vanished while the outputs were collected"},
	} {
		w := newTask(t, "o/*")
		w.begin()
		w.do("write o/a x")
		fsy := &moving{FS: w.fs, move: func() { w.do(c.change) }}
		got := text(Collect(context.Background(), fsy, state.Open(fsy, digest.BLAKE3), digest.BLAKE3, w.request()))
		if got != c.want {
			t.Errorf("%s: got %s, want %s", name, got, c.want)
		}
	}
	w := newTask(t, "a")
	w.begin()
	w.do("write a x")
	fsy := &moving{FS: w.fs, move: func() { w.do("rm a") }}
	got := text(Collect(context.Background(), fsy, state.Open(fsy, digest.BLAKE3), digest.BLAKE3, w.request()))
	if want := "output-missing: declared output a was not produced"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// moving changes the tree when the first file is read.
type moving struct {
	*memfs.FS
	move func()
}

func (m *moving) ReadFile(name string, limit int64) ([]byte, fsys.Info, error) {
	if strings.HasPrefix(name, "/p/") && m.move != nil {
		m.move()
		m.move = nil
	}
	return m.FS.ReadFile(name, limit)
}

func (m *moving) ReadUnwritten(name string, limit int64) ([]byte, fsys.Info, bool, error) {
	data, info, err := m.ReadFile(name, limit)
	_, unwritten := m.FS.Unwritten(name)
	return data, info, unwritten && err == nil, err
}

// What could hide a match means that nothing is known (S-17): before the run, what lies behind it would count as new.
func TestHidden(t *testing.T) {
	w := newTask(t, "o/**")
	w.do("write o/d/a x")
	w.before = &Snapshot{hidden: []string{"/p/o/d cannot be read"}}
	w.do("write o/b y")
	if got, want := text(w.collect()), "f o/b 644*, f o/d/a 644* | /p/o/d cannot be read"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	// A link out of the workspace in a fixed prefix, and a deeper link below which a path could match.
	w = newTask(t, "o/sub/*")
	w.begin()
	w.do("link o /nowhere")
	if c, err := w.collect(); err == nil && c.NotStorable == "" && len(c.Outputs) > 0 {
		t.Error("outputs through a link to nowhere")
	}
	// A literal that can be seen there was produced, but is not stored; one that cannot is missing.
	for _, c := range []struct{ literal, want string }{
		{"o/a", " | `/p/o` leads out of the workspace"},
		{"o/none", "output-missing: declared output o/none was not produced"},
	} {
		w = newTask(t, c.literal)
		sub, err := w.fs.Sub("/p")
		w.must(err)
		p, err := pattern.Parse(c.literal)
		w.must(err)
		w.do("write ../outside/a x", "link o /outside")
		r := Request{Patterns: []pattern.Pattern{p.Anchor("/")}, Spell: func(path string) string { return path[1:] }}
		got := text(Collect(context.Background(), sub, state.Open(sub, digest.BLAKE3), digest.BLAKE3, r))
		if want := strings.Replace(c.want, "/p/o", "/o", 1); got != want {
			t.Errorf("%s: got %s, want %s", c.literal, got, want)
		}
	}
	w = newTask(t, "o/*/x")
	w.begin()
	w.do("write e/x x", "dir o", "link o/l ../e")
	if c, err := w.collect(); err != nil || c.NotStorable == "" || len(c.Outputs) > 1 {
		t.Errorf("got %s", text(c, err))
	}
}

// An output below a link that is an output itself cannot be put back.
func TestOutputBelowOutputLink(t *testing.T) {
	w := newTask(t, "o", "o/**")
	w.begin()
	w.do("write real/a x", "link o real")
	c, err := w.collect()
	if err != nil || c.NotStorable == "" {
		t.Errorf("got %s", text(c, err))
	}
}

func TestCollectEndsWithItsContext(t *testing.T) {
	w := newTask(t, "o/*")
	w.begin()
	w.do("write o/a x")
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Collect(ctx, w.fs, w.st, digest.BLAKE3, w.request()); !errors.Is(err, context.Canceled) {
		t.Errorf("collect: %v", err)
	}
	if _, err := TakeSnapshot(ctx, w.fs, w.patterns, Owner{}); !errors.Is(err, context.Canceled) {
		t.Errorf("snapshot: %v", err)
	}
	if _, err := TakeSnapshot(ctx, w.fs, nil, Owner{}); !errors.Is(err, context.Canceled) {
		t.Errorf("snapshot of nothing: %v", err)
	}
}
