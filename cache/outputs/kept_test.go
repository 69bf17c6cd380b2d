package outputs

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
)

// look is what a second look finds: "moved", paths, "rewritten", paths, "remade".
func (w *task) look(k *Kept, skip ...string) string {
	w.t.Helper()
	var moved, rewritten []string
	err := k.Moved(context.Background(), w.fs, w.st, func(p string) bool { return slices.Contains(skip, p) },
		func(p string) { moved = append(moved, p) }, func(p string) { rewritten = append(rewritten, p) })
	w.must(err)
	var words []string
	for _, list := range []struct {
		word  string
		paths []string
	}{{"moved", moved}, {"rewritten", rewritten}} {
		if len(list.paths) > 0 {
			words = append(append(words, list.word), list.paths...)
		}
	}
	if Remade(w.st, []*Kept{k}) != nil {
		words = append(words, "remade")
	}
	return strings.ReplaceAll(strings.Join(words, " "), "/p/", "")
}

// S-23: what became of the outputs of an upstream.
func TestKept(t *testing.T) {
	for _, c := range []struct{ change, want string }{
		{"", ""},
		{"write o/a y", "moved o/a"},
		{"write o/a x", "rewritten o/a"},
		{"write o/a yy, write o/a x", "rewritten o/a"},
		{"rm o/a", "moved o/a"},
		{"rm o/a, link o/a l", "moved o/a"},
		{"mode o/a 755", "moved o/a"},
		{"mode o/a 755, mode o/a 644", "rewritten o/a"},
		{"rm l, link l o/a", "rewritten l"},
		{"rm l, link l o/b", "moved l"},
		{"write e/new x", ""},
		{"rm e", "moved e"},
		{"write o/new x", ""}, // a bystander; tools leave such things
	} {
		for _, step := range []time.Duration{0, time.Millisecond, time.Second} {
			w := newTask(t, "**")
			w.fs.SetStep(step)
			w.do("write o/a x", "write o/b y", "link l o/a", "dir e")
			w.made("e", "l", "o/a", "o/b")
			k := Keep("p:t", w.products.Files, false)
			if got := w.look(k); got != "" {
				t.Fatalf("nothing was changed: %s", got)
			}
			if step == 0 {
				w.fs.Advance(time.Second) // a file that was read by now is told from one that is written later
			}
			w.look(k)
			for _, line := range strings.Split(c.change, ", ") {
				if line != "" {
					w.do(line)
				}
			}
			if got := w.look(k); got != c.want {
				t.Errorf("%s, step %v: %q, want %q", c.change, step, got, c.want)
			}
			if got := w.look(k, "/p/o/a", "/p/l", "/p/e"); got != "" {
				t.Errorf("%s: what is skipped is %s", c.change, got)
			}
		}
	}
}

// An edit in the very tick in which the output was made leaves an equal stat.
func TestKeptSeesEditsOfTheSameTick(t *testing.T) {
	w := newTask(t, "**")
	w.fs.SetStep(0)
	w.do("write o/a one")
	w.made("o/a")
	k := Keep("p:t", w.products.Files, false)
	w.look(k)
	w.do("write o/a two")
	w.fs.Advance(time.Hour)
	if got := w.look(k); got != "moved o/a" {
		t.Errorf("%q", got)
	}
}

// Another haz has made the outputs again: the product list says so where the files do not.
func TestKeptIsRemade(t *testing.T) {
	w := newTask(t, "**")
	w.do("write o/a x", "write o/b x")
	w.made("o/a")
	w.st.WriteProducts(w.products)
	k, unlisted := Keep("p:t", w.products.Files, true), Keep("p:t", w.products.Files, false)
	if got := w.look(k); got != "" {
		t.Fatal(got)
	}
	again := w.products
	again.Key[0]++
	other := state.Open(w.fs, 0)
	other.WriteProducts(again)
	if got := w.look(k); got != "" {
		t.Errorf("the same outputs under another key: %s", got)
	}
	w.made("o/b")
	other.WriteProducts(w.products)
	if got := w.look(k); got != "remade" {
		t.Errorf("one output more: %q", got)
	}
	if got := w.look(unlisted); got != "" {
		t.Errorf("it was not in the product list before: %q", got)
	}
}

// Who holds an output mapped writes to it without a sign.
func TestKeptSeesMappedWrites(t *testing.T) {
	for _, times := range []fsys.Times{fsys.TimesLoose, fsys.TimesMarked, fsys.TimesLayered, fsys.TimesExact} {
		for _, early := range []bool{true, false} {
			w := newTask(t, "**")
			w.fs.SetVolume(fsys.Volume{Times: times}, true)
			w.do("write o/a one")
			hold := func() *memfs.Mapping {
				p, err := w.fs.Map("/p/o/a")
				w.must(err)
				return p
			}
			var p *memfs.Mapping
			if early {
				p = hold()
				_, err := p.WriteAt([]byte("one"), 0)
				w.must(err)
			}
			w.made("o/a")
			w.fs.Advance(time.Second)
			k := Keep("p:t", w.products.Files, false)
			for range 2 {
				if got := w.look(k); got != "" {
					t.Fatalf("nothing was changed: %s", got)
				}
			}
			if !early {
				p = hold()
			}
			_, err := p.WriteAt([]byte("two"), 0)
			w.must(err)
			if got := w.look(k); got != "moved o/a" {
				t.Errorf("times %v, mapped before %v: %q", times, early, got)
			}
		}
	}
}
