package outputs

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/fsys"
)

// Random trees, runs, product lists, keys and neighbours (S-22). Who wrote what is known here, so the table can be judged by its
// purpose: nothing that the task wrote is missing, nothing else is taken for its own unless a record or the declaration
// says so, and what is left out is either in the key or keeps the result from being stored.
func TestAttributionIsSafe(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newTask(t, rapid.SampledFrom([][]string{{"o/*"}, {"o/**"}, {"**"}, {"o/a", "o/**"}, {"o/{a,b}", "x"}}).Draw(rt, "patterns")...)
		w.fs.SetStep(rapid.SampledFrom([]time.Duration{time.Microsecond, time.Second}).Draw(rt, "step"))
		names := []string{"o/a", "o/b", "o/d/a", "o/e", "x"}
		touched := map[string]bool{}
		change := func() {
			n := rapid.SampledFrom(names).Draw(rt, "name")
			_, err := w.fs.Lstat("/p/" + n)
			switch {
			case err == nil && rapid.IntRange(0, 3).Draw(rt, "remove") == 0:
				w.do("rm " + n)
			case err == nil && kindOf(w, n) == fsys.File:
				w.do(fmt.Sprintf("write %s %d", n, rapid.IntRange(0, 2).Draw(rt, "text")))
			case err == nil:
				return
			default:
				switch rapid.IntRange(0, 3).Draw(rt, "kind") {
				case 0:
					w.do("link " + n + " " + rapid.SampledFrom([]string{"a", "nowhere", "b"}).Draw(rt, "text"))
				case 1:
					w.do("dir " + n)
				default:
					w.do("write " + n + " new")
				}
			}
			touched["/p/"+n] = true
		}
		for range rapid.IntRange(0, 8).Draw(rt, "before") {
			change()
		}
		for _, n := range names {
			if kindOf(w, n) == fsys.Unknown {
				continue
			}
			switch rapid.IntRange(0, 4).Draw(rt, "known as") {
			case 0:
				w.made(n)
			case 1:
				w.makers["/p/"+n] = "p:a"
			case 2:
				if kindOf(w, n) != fsys.Dir {
					w.inputs["/p/"+n] = true
				}
			}
		}
		for range rapid.IntRange(0, 2).Draw(rt, "edits since") {
			change()
		}
		for path := range w.inputs {
			if _, err := w.fs.Lstat(path); err != nil {
				delete(w.inputs, path)
			}
		}
		w.begin()
		before := map[string]string{}
		for _, n := range names {
			before["/p/"+n] = look(w, n)
		}
		clear(touched)
		for range rapid.IntRange(0, 4).Draw(rt, "run") {
			change()
		}
		c, err := w.collect()
		if err != nil {
			for _, p := range w.patterns {
				if p.IsLiteral() && kindOf(w, strings.TrimPrefix(p.String(), "/p/")) != fsys.File {
					return // a literal that is missing or no file: the tables say so
				}
			}
			rt.Fatal(err)
		}
		outs := map[string]*entry.Output{}
		for i := range c.Outputs {
			outs[c.Outputs[i].Path] = &c.Outputs[i]
		}
		if !slices.IsSortedFunc(c.Outputs, func(a, b entry.Output) int { return strings.Compare(a.Path, b.Path) }) || !slices.IsSorted(c.Wrote) {
			rt.Fatal("not sorted")
		}
		for _, n := range names {
			path := "/p/" + n
			is := look(w, n)
			matched, literal := false, false
			for _, p := range w.patterns {
				matched = matched || p.Match(path)
				literal = literal || p.IsLiteral() && p.Match(path)
			}
			if !matched || is == "" || is == "full dir" {
				if outs[path] != nil {
					rt.Fatalf("%s is an output", path)
				}
				continue
			}
			_, ok := w.products.Find(path)
			o, wrote := outs[path], touched[path] && is != before[path]
			switch {
			case literal && is == "empty dir": // the folder of PATH-021: nobody's claim, as a fixed prefix is
				if o == nil {
					rt.Fatalf("%s is an empty folder that a literal names, but no output", path)
				}
			case wrote && (o == nil || !slices.Contains(c.Wrote, path)):
				rt.Fatalf("%s was written, but is no output, or not claimed", path)
			case !touched[path] && slices.Contains(c.Wrote, path):
				// A directory whose entries came and went looks written to.
				if is != "empty dir" {
					rt.Fatalf("%s was not written, but claimed", path)
				}
			case o != nil && !touched[path] && !ok && !literal && is != "empty dir":
				rt.Fatalf("%s is an output, but nothing says that it is this task's", path)
			case o == nil && !w.inputs[path] && c.NotStorable == "":
				rt.Fatalf("%s was left out, and the result is stored", path)
			}
			if o == nil {
				continue
			}
			if o.Kind == entry.File && (o.Digest != w.digest(path)) {
				rt.Fatalf("%s: wrong digest", path)
			}
		}
		for _, p := range w.wrote() {
			if !slices.Contains(c.Wrote, p.Path) {
				rt.Fatalf("%s was written, but is not claimed", p.Path)
			}
		}
	})
}

func kindOf(w *task, name string) fsys.Kind {
	info, _ := w.fs.Lstat("/p/" + name)
	return info.Kind
}

// look is what lies there, in words.
func look(w *task, name string) string {
	path := "/p/" + name
	switch kindOf(w, name) {
	case fsys.File:
		data, info, err := w.fs.ReadFile(path, 0)
		w.must(err)
		return fmt.Sprintf("file %q %o", data, info.Perm)
	case fsys.Link:
		text, err := w.fs.Readlink(path)
		w.must(err)
		return "link " + text
	case fsys.Dir:
		list, err := w.fs.List(path)
		w.must(err)
		if len(list) > 0 {
			return "full dir"
		}
		return "empty dir"
	}
	return ""
}

func BenchmarkSnapshot(b *testing.B) {
	disk, err := fsys.Host(b.TempDir())
	if err != nil {
		b.Fatal(err)
	}
	defer disk.Close()
	if err := disk.MkdirAll("/p/out", 0o755); err != nil {
		b.Fatal(err)
	}
	for i := range 100 {
		f, err := disk.Create(fmt.Sprintf("/p/out/%d", i))
		if err != nil {
			b.Fatal(err)
		}
		_ = f.Close()
	}
	for _, pattern := range []string{"out.o", "out/1", "none/*", "out/*"} {
		b.Run("pattern="+pattern, func(b *testing.B) {
			w := newTask(b, pattern)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := TakeSnapshot(context.Background(), disk, w.patterns, Owner{}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
