package outputs

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/fsystest"
	"github.com/haz-build/haz/pattern"
)

// Whose a folder or a .git is, is told by what was there before and by the product list.
func TestWhoseFolder(t *testing.T) {
	for _, c := range []struct {
		name, pattern string
		before        []string
		products      []string
		run           []string
		want          string
	}{
		{"prefix that was there, and holds nothing", "o/**", []string{"dir o"}, nil, nil, "d o 755"},
		{"prefix that was there, and holds others' files", "src/*.gen", []string{"write src/a x"}, nil, nil, ""},
		{"folder of the user with a mode of its own", "o/**", []string{"dir o", "mode o 700"}, nil, []string{"write o/a x"}, "f o/a 644*"},
		{"mode that the task has changed", "o/**", []string{"dir o"}, nil, []string{"write o/a x", "mode o 500"}, "d o 500, f o/a 644*"},
		{"mode of an earlier run", "o/**", []string{"dir o", "mode o 500"}, []string{"o"}, []string{"write o/a x"}, "d o 500, f o/a 644*"},
		{"mode that the user has changed since", "o/**", []string{"dir o"}, []string{"o"}, []string{"write o/a x"}, "f o/a 644*"},
		{".git of the user", "o/**", []string{"write o/.git/HEAD x"}, nil, []string{"write o/a x"}, "f o/a 644*"},
		{".git of the user, a file", "o/**", []string{"write o/.git x"}, nil, []string{"write o/a x"}, "f o/a 644*"},
		{".git of the user in which the task writes", "o/**", []string{"write o/.git/HEAD x"}, nil, []string{"write o/a x", "write o/.git/index x"},
			"f o/a 644* | /p/o/.git was there before and changed while the task ran"},
		{".git of an earlier run", "o/**", []string{"write o/.git/HEAD x"}, []string{"o/.git/HEAD"}, []string{"write o/a x"}, "f o/.git/HEAD 644, f o/a 644*"},
		{".git that was made anew", "o/**", []string{"write o/.git/HEAD x"}, nil, []string{"rm o", "write o/.git/HEAD y"}, "f o/.git/HEAD 644*"},
		{".git of the workspace", "/**", []string{"write ../.git/HEAD x"}, nil, []string{"write ../.git/index x", "write a x"}, "f a 644*"},
		{".git of the workspace that the task made", "/**", nil, nil, []string{"write ../.git/index x", "write a x"}, "f a 644*"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newTask(t, c.pattern)
			w.do(c.before...)
			w.made(c.products...)
			w.begin()
			w.do(c.run...)
			if got := text(w.collect()); got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// Of what a link leads to an entry holds nothing; so a task that writes through one is not stored.
func TestLinksThatWereWrittenThrough(t *testing.T) {
	const changed = " which changed while the task ran and is no output [declare what the link leads to as an output, not the link]"
	for _, c := range []struct {
		name, pattern string
		before        []string
		inputs        []string
		run           []string
		want          string
	}{
		{"old link, target rewritten", "a", []string{"write b x", "link a b"}, nil, []string{"write a y"}, "l a->b | /p/a leads to /p/b," + changed},
		{"old link, target untouched", "a", []string{"write b x", "link a b"}, nil, nil, "l a->b"},
		{"old link, target appears", "a", []string{"link a b"}, nil, []string{"write b y"}, "l a->b | /p/a leads to /p/b," + changed},
		{"old link, target is an output", "{a,b}", []string{"write b x", "link a b"}, nil, []string{"write b y"}, "l a->b, f b 644*"},
		{"new link, target rewritten", "a", []string{"write b x"}, nil, []string{"link a b", "write b y"}, "l a->b* | /p/a leads to /p/b," + changed},
		{"new link, target untouched", "a", []string{"write b x"}, nil, []string{"touch c", "link a b"}, "l a->b*"},
		{"new link, target is an input", "a", []string{"write b x"}, []string{"b"}, []string{"link a b", "write b y"}, "l a->b*"},
		{"link to a folder, nothing of it an output", "a", []string{"dir d"}, nil, []string{"link a d", "write d/x y"}, "l a->d* | /p/a leads to /p/d," + changed},
		{"link to a folder, untouched", "a", []string{"write d/x x", "touch d"}, nil, []string{"touch c", "link a d"}, "l a->d*"},
		{"link to a folder above", "o/*", []string{"dir o"}, nil, []string{"link o/a ..", "write b x"}, "l o/a->..*"},
		{"link to nothing", "a", nil, nil, []string{"link a b"}, "l a->b*"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newTask(t, c.pattern)
			w.do("write c x")
			w.do(c.before...)
			for _, name := range c.inputs {
				w.inputs["/p/"+name] = true
			}
			if _, err := w.fs.Lstat("/p/a"); err == nil {
				w.made("a")
			}
			w.do("touch c")
			w.begin()
			w.do(c.run...)
			got := text(w.collect())
			if got != c.want {
				t.Errorf("got  %s\nwant %s", got, c.want)
			}
		})
	}
}

// What no entry can hold keeps a result from being stored, wherever a glob meets it.
func TestSpecialOutput(t *testing.T) {
	root := t.TempDir()
	if err := os.Mkdir(filepath.Join(root, "o"), 0o755); err != nil {
		t.Fatal(err)
	}
	fsystest.HostFIFO(t, filepath.Join(root, "o/queue"))
	disk, err := fsys.Host(root)
	if err != nil {
		t.Fatal(err)
	}
	defer disk.Close()
	for text, want := range map[string]string{
		"/o/**": "/o/queue is a FIFO, socket or device", "/o/q*": "/o/queue is a FIFO, socket or device", "/o/*.txt": "", "/*": "",
	} {
		p, err := pattern.Parse(text)
		if err != nil {
			t.Fatal(err)
		}
		c, err := Collect(t.Context(), disk, state.Open(disk, digest.BLAKE3), digest.BLAKE3, Request{Patterns: []pattern.Pattern{p}, DirMode: 0o755})
		if err != nil || c.NotStorable != want || (c.Hint == "") != (want == "") {
			t.Errorf("%s: %q, hint %q, %v", text, c.NotStorable, c.Hint, err)
		}
	}
}
