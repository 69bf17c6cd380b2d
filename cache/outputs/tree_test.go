package outputs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/pattern"
)

// task is a workspace in memory and what is known about one task of it.
type task struct {
	t        testing.TB
	fs       *memfs.FS
	st       *state.State
	patterns []pattern.Pattern
	before   *Snapshot
	products state.Products
	inputs   map[string]bool   // in the key, as they are before the run
	makers   map[string]string // other tasks' files
	sources  []pattern.Pattern // input patterns
	key      map[string]keyed
	presence bool
}

type keyed struct {
	info   fsys.Info
	digest digest.Digest
}

func newTask(t testing.TB, patterns ...string) *task {
	w := &task{t: t, fs: memfs.New(), inputs: map[string]bool{}, makers: map[string]string{}, key: map[string]keyed{}}
	w.st = state.Open(w.fs, digest.BLAKE3)
	for _, text := range patterns {
		p, err := pattern.Parse(text)
		if err != nil {
			t.Fatalf("%q: %v", text, err)
		}
		w.patterns = append(w.patterns, p.Anchor("/p"))
	}
	w.must(w.fs.MkdirAll("/p", 0o755))
	return w
}

func (w *task) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// do changes the tree: "write a text", "mode a 755", "link a text", "dir a", "rm a", "special a", "touch a".
func (w *task) do(script ...string) {
	w.t.Helper()
	for _, line := range script {
		verb, rest, _ := strings.Cut(line, " ")
		name, arg, _ := strings.Cut(rest, " ")
		name = "/p/" + name
		parent := name[:strings.LastIndexByte(name, '/')]
		switch verb {
		case "write":
			w.must(w.fs.MkdirAll(parent, 0o755))
			f, err := w.fs.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644)
			w.must(err)
			_, err = f.Write([]byte(arg))
			w.must(err)
			w.must(f.Close())
		case "mode":
			var perm uint32
			_, err := fmt.Sscanf(arg, "%o", &perm)
			w.must(err)
			w.must(w.fs.Chmod(name, fsys.PermMode(perm)))
		case "link":
			w.must(w.fs.MkdirAll(parent, 0o755))
			w.must(w.fs.Symlink(arg, name))
		case "dir":
			w.must(w.fs.MkdirAll(name, 0o755))
		case "rm":
			w.must(w.fs.RemoveAll(name))
		case "touch":
			now := w.fs.Now().Add(time.Second)
			w.must(w.fs.Chtimes(name, now, now))
		default:
			w.t.Fatalf("what is %q?", line)
		}
	}
}

// begin is the moment before the spawn: the key is known, the snapshot taken.
func (w *task) begin() {
	w.t.Helper()
	for path := range w.inputs {
		info, err := w.fs.Lstat(path)
		w.must(err)
		k := keyed{info: info}
		if info.Kind == fsys.File {
			k.digest = w.digest(path)
		}
		w.key[path] = k
	}
	var err error
	w.before, err = TakeSnapshot(context.Background(), w.fs, w.patterns, Owner{Below: w.products.Below, Now: func() int64 { return w.now() }})
	w.must(err)
}

// now is the time of the file system, by a file that is written.
func (w *task) now() int64 {
	w.t.Helper()
	w.do("write ../.haz/state/clock x")
	info, err := w.fs.Lstat("/.haz/state/clock")
	w.must(err)
	return info.MTime
}

func (w *task) digest(path string) digest.Digest {
	data, _, err := w.fs.ReadFile(path, 0)
	w.must(err)
	return hasher.Sum(digest.BLAKE3, data)
}

// made puts files as they are now into the product list of the task.
func (w *task) made(names ...string) {
	w.t.Helper()
	var files []state.Produced
	for _, n := range names {
		path := "/p/" + n
		info, err := w.fs.Lstat(path)
		w.must(err)
		p := state.Produced{Path: path, Info: info}
		switch info.Kind {
		case fsys.File:
			p.Digest, p.HasDigest = w.digest(path), true
		case fsys.Link:
			p.LinkText, err = w.fs.Readlink(path)
			w.must(err)
		}
		files = append(files, p)
	}
	w.products.Task = "p:t"
	w.products.Files = state.MergeProduced(w.products.Files, files)
}

func (w *task) request() Request {
	return Request{Task: "p:t", Patterns: w.patterns, Before: w.before, Products: w.products, PresenceOnly: w.presence, DirMode: 0o755,
		Input: func(path string) (fsys.Info, digest.Digest, bool) {
			k, ok := w.key[path]
			return k.info, k.digest, ok
		},
		MadeBy:  func(path string) string { return w.makers[path] },
		Source:  w.source,
		Defines: func(path string) bool { return path == "/p/haz.yml" },
		Spell:   func(path string) string { return strings.TrimPrefix(path, "/p/") },
	}
}

// reads adds an input pattern.
func (w *task) reads(text string) {
	p, err := pattern.Parse(text)
	w.must(err)
	w.sources = append(w.sources, p.Anchor("/p"))
}

func (w *task) source(path string) bool {
	_, in := w.key[path]
	for _, p := range w.sources {
		in = in || p.Match(path)
	}
	return in
}

// wrote is what a run that failed was seen to write.
func (w *task) wrote() []state.Produced {
	own := func(path string) bool {
		p, ok := w.products.Find(path)
		return ok && !p.Found
	}
	return Written(context.Background(), w.fs, w.patterns, w.before, own, w.source)
}

func (w *task) collect() (*Collected, error) {
	return Collect(context.Background(), w.fs, w.st, digest.BLAKE3, w.request())
}

// text is the result in one line.
func text(c *Collected, err error) string {
	if err != nil {
		var r *RejectError
		if errors.As(err, &r) {
			s := fmt.Sprintf("%s: %s", r.Kind, r.Reason)
			if r.Hint != "" {
				s += " [" + r.Hint + "]"
			}
			return s
		}
		return err.Error()
	}
	wrote := map[string]bool{}
	for _, p := range c.Wrote {
		wrote[p] = true
	}
	var parts []string
	for _, o := range c.Outputs {
		s := fmt.Sprintf("%c %s", o.Kind, strings.TrimPrefix(o.Path, "/p/"))
		switch o.Kind {
		case entry.Link:
			s += "->" + o.Target
		default:
			s += fmt.Sprintf(" %03o", o.Mode)
		}
		if wrote[o.Path] {
			s += "*"
		}
		parts = append(parts, s)
	}
	s := strings.Join(parts, ", ")
	if c.NotStorable != "" {
		s += " | " + c.NotStorable
		if c.Hint != "" {
			s += " [" + c.Hint + "]"
		}
		if c.Quiet {
			s += " (quiet)"
		}
	}
	return s
}
