package key

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/haz-build/haz/fsys"
)

// S-23: what is noticed between two looks.
func TestMoved(t *testing.T) {
	tree := []string{"write a x", "write d/b y", "link l a", "link m ../gone", "dir e", "link n d", "write lit z"}
	for _, c := range []struct {
		name   string
		change []string
		want   string
	}{
		{"nothing", nil, ""},
		{"content", []string{"write a y"}, "/p/a"},
		{"the same bytes again", []string{"write a x"}, "~/p/a"}, // by its stat: somebody may have read other ones in between
		{"added", []string{"write c x"}, "/p/c"},
		{"added in a folder", []string{"write d/c x"}, "/p/d/c"},
		{"removed", []string{"rm d/b", "write d/c x"}, "/p/d/b /p/d/c"},
		{"literal removed", []string{"rm lit"}, "/p/lit"},
		{"literal is a directory", []string{"rm lit", "dir lit"}, "/p/lit"},
		{"renamed", []string{"move a c"}, "/p/a /p/c /p/l"}, // the link leads to nothing now
		{"mode", []string{"mode a 755"}, "/p/a"},
		{"a mode that does not count", []string{"mode a 640"}, "~/p/a"},
		{"other bytes, and back", []string{"write a y", "write a x"}, "~/p/a"},
		{"another file with the same bytes", []string{"rm a", "write a x"}, "~/p/a"},
		{"link text", []string{"rm l", "link l ./a"}, "/p/l"},
		{"kind of a link's target", []string{"write ../gone x"}, "/p/m"},
		{"link to nothing leads to a folder", []string{"dir ../gone"}, "/p/m"},
		{"link to a folder leads to nothing", []string{"rm d"}, "/p/d/b /p/n"},
		{"content behind a link", []string{"write a yy"}, "/p/a"},
		{"folder is empty no more", []string{"write e/f x"}, "/p/e /p/e/f"},
		{"kind", []string{"rm e", "write e x"}, "/p/e"},
	} {
		for _, age := range []time.Duration{0, time.Hour} {
			b := newBed(t, "**", "lit")
			b.do(tree...)
			b.fs.Advance(age)
			d := deriverOn(b.fs)
			at, err := d.Derive(context.Background(), &b.task, nil)
			b.must(err)
			b.do(c.change...)
			got, err := d.Moved(context.Background(), &b.task, at, nil)
			b.must(err)
			want := strings.Fields(c.want)
			for _, p := range want {
				list := got.Moved
				if rest, ok := strings.CutPrefix(p, "~"); ok {
					p, list = rest, got.Rewritten
				}
				if !contains(list, p) {
					t.Errorf("%s, %v old: %s was not noticed, only %q", c.name, age, p, got)
				}
			}
			if len(want) == 0 && got.Any() {
				t.Errorf("%s, %v old: noticed %q", c.name, age, got)
			}
			left, err := d.Moved(context.Background(), &b.task, at, func(string) bool { return true })
			if err != nil || left.Any() {
				t.Errorf("%s: all were exempt, but %q (%v)", c.name, left, err)
			}
		}
	}
}

func contains(list []string, s string) bool {
	for _, x := range list {
		if x == s {
			return true
		}
	}
	return false
}

// Each part of an input is compared for itself, whatever its stat.
func TestChanged(t *testing.T) {
	was := Input{Path: "/p/l", Kind: LinkInput, LinkText: "a", Target: TargetDir, Sure: true}
	for name, change := range map[string]func(in *Input){
		"kind": func(in *Input) { in.Kind = FileInput }, "link text": func(in *Input) { in.LinkText = "b" },
		"target": func(in *Input) { in.Target = TargetAbsent }, "stat": func(in *Input) { in.Info.CTime++ },
		"stat of the target": func(in *Input) { in.TargetInfo.CTime++ },
	} {
		now := was
		if changed, err := (&Deriver{}).changed(context.Background(), nil, &was, &now); changed != untouched || err != nil {
			t.Errorf("nothing changed: %v, %v", changed, err)
		}
		change(&now)
		if changed, err := (&Deriver{}).changed(context.Background(), nil, &was, &now); changed != moved || err != nil {
			t.Errorf("%s: not noticed (%v)", name, err)
		}
	}
}

// An edit that the stat does not show, made in the tick in which the key was derived (5.4).
func TestMovedSeesEditsOfTheSameTick(t *testing.T) {
	for _, through := range []string{"a", "l"} {
		b := newBed(t, through)
		b.fs.SetStep(0)
		b.do("write a one", "link l a")
		d := deriverOn(b.fs)
		at, err := d.Derive(context.Background(), &b.task, nil)
		b.must(err)
		if moved, err := d.Moved(context.Background(), &b.task, at, nil); err != nil || moved.Any() {
			t.Fatalf("nothing moved, but %q (%v)", moved, err)
		}
		b.do("write a two")
		b.fs.Advance(time.Hour) // by now it looks old
		moved, err := d.Moved(context.Background(), &b.task, at, nil)
		if err != nil || len(moved.Moved) != 1 || moved.Moved[0] != "/p/"+through {
			t.Errorf("moved %q (%v)", moved, err)
		}
	}
}

// What was rewritten before the task started is of no interest: nobody had read it. Afterwards it is.
func TestRefresh(t *testing.T) {
	b := newBed(t, "**")
	b.do("write a x", "write b y")
	d := deriverOn(b.fs)
	at := b.mustDerive()
	b.do("write a x")
	if moved, err := d.Refresh(context.Background(), &b.task, at); err != nil || len(moved) > 0 {
		t.Fatalf("moved %q (%v)", moved, err)
	}
	if c, err := d.Moved(context.Background(), &b.task, at, nil); err != nil || c.Any() {
		t.Errorf("noticed what was before: %q (%v)", c, err)
	}
	b.do("write a x")
	if c, err := d.Moved(context.Background(), &b.task, at, nil); err != nil || len(c.Moved) > 0 || len(c.Rewritten) != 1 {
		t.Errorf("not noticed: %q (%v)", c, err)
	}
	b.do("write b z")
	if moved, err := d.Refresh(context.Background(), &b.task, at); err != nil || len(moved) != 1 || moved[0] != "/p/b" {
		t.Errorf("moved %q (%v)", moved, err)
	}
}

// A folder that is moved away and back leaves no other trace than its change time.
func TestFolders(t *testing.T) {
	for _, c := range []struct {
		name   string
		change []string
		want   string
	}{
		{"nothing", nil, ""},
		{"swapped and swapped back", []string{"move d/e x", "write d/e/a y", "rm d/e", "move x d/e"}, "/p/d/e"},
		{"a folder further up", []string{"move d x", "move x d"}, "/p/d /p/l"},
		{"another folder", []string{"rm d", "write d/e/a x"}, "/p/d /p/d/e /p/l"},
		{"gone", []string{"rm d"}, "/p/d /p/d/e /p/l"},
		{"files come and go", []string{"write d/e/new x", "write d/e/other x", "rm d/e/new"}, ""},
		{"a file is rewritten", []string{"write d/e/a y"}, ""},
		{"the link is another", []string{"rm l", "link l d"}, "/p/l"},
		{"permissions", []string{"mode d/e 700"}, "/p/d/e"},
	} {
		b := newBed(t, "**")
		b.do("write d/e/a x", "write d/b x", "link l d")
		f, err := LookAtFolders(context.Background(), b.fs, slices.Values([]string{"/p/d/e/a", "/p/d/b", "/p/l/b", "/p/none/x"}))
		b.must(err)
		b.do(c.change...)
		got, err := f.Swapped(context.Background())
		b.must(err)
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %q, want %q", c.name, got, c.want)
		}
	}
}

// Whatever is done to a tree: Moved says nothing only if the key is still the same; and equal trees have equal keys.
func TestMovedIsSound(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		b := newBed(t, "**")
		b.fs.SetStep(rapid.SampledFrom([]time.Duration{0, time.Millisecond, 3 * time.Second}).Draw(rt, "step"))
		name := func() string { return rapid.SampledFrom([]string{"a", "b", "d/a", "d/b", "e"}).Draw(rt, "name") }
		change := func() {
			n := name()
			info, err := b.fs.Lstat("/p/" + n)
			switch rapid.IntRange(0, 5).Draw(rt, "do") {
			case 0, 1:
				if err == nil && info.Kind == fsys.File {
					b.do("write " + n + " " + rapid.SampledFrom([]string{"one", "two"}).Draw(rt, "text"))
				} else if err != nil {
					if parent, _, ok := strings.Cut(n, "/"); ok {
						if i, err := b.fs.Lstat("/p/" + parent); err == nil && i.Kind != fsys.Dir {
							return
						}
					}
					b.do("write " + n + " one")
				}
			case 2:
				b.do("rm " + n)
			case 3:
				if err != nil && !strings.Contains(n, "/") {
					b.do("link " + n + " " + rapid.SampledFrom([]string{"a", "d", "nowhere", "."}).Draw(rt, "link"))
				}
			case 4:
				if err == nil && info.Kind == fsys.File {
					b.do("mode " + n + " " + rapid.SampledFrom([]string{"644", "755"}).Draw(rt, "mode"))
				}
			case 5:
				if err != nil && !strings.Contains(n, "/") {
					b.do("dir " + n)
				}
			}
		}
		for range rapid.IntRange(0, 6).Draw(rt, "before") {
			change()
		}
		d := deriverOn(b.fs)
		at, err := d.Derive(context.Background(), &b.task, nil)
		if err != nil {
			rt.Fatal(err)
		}
		for range rapid.IntRange(0, 2).Draw(rt, "after") {
			change()
		}
		if rapid.Bool().Draw(rt, "later") {
			b.fs.Advance(time.Hour)
		}
		moved, err := d.Moved(context.Background(), &b.task, at, nil)
		if err != nil {
			rt.Fatal(err)
		}
		again, err := deriverOn(b.fs).Derive(context.Background(), &b.task, nil)
		if err != nil {
			rt.Fatal(err)
		}
		if len(moved.Moved) == 0 && again.Key != at.Key {
			rt.Fatalf("nothing moved, but the key is another:\n%s\n%s", describe(at.Inputs), describe(again.Inputs))
		}
		if (describe(at.Inputs) == describe(again.Inputs) && sameDigests(at.Inputs, again.Inputs)) != (at.Key == again.Key) {
			rt.Fatalf("inputs and key do not agree:\n%s\n%s", describe(at.Inputs), describe(again.Inputs))
		}
	})
}

func sameDigests(a, b []Input) bool {
	for i := range a {
		if a[i].Digest != b[i].Digest {
			return false
		}
	}
	return true
}
