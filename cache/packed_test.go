package cache_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/haz-build/haz/cache"
	"github.com/haz-build/haz/cache/cachetest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/cache/manifest"
	"github.com/haz-build/haz/fsys"
)

// CACHE-037: an entry whose streams and files are small together is one file, and serves as any other.
func TestPackedEntry(t *testing.T) {
	onBoth(t, func(t *testing.T, ws fsys.FS) {
		for _, c := range []struct {
			stderr int
			want   string
		}{
			{0, "/manifest.json"},
			{manifest.MaxPacked - len("out\n") - len("hello\n") - len("#!/bin/sh\n"), "/manifest.json"},
			{manifest.MaxPacked - len("out\n") - len("hello\n") - len("#!/bin/sh\n") + 1, "/manifest.json /outputs /stderr /stdout"},
		} {
			r := newRig(t, ws, cache.Options{})
			task := sample()
			task.Outputs["/p/out/big"] = cachetest.File("", 0o600)
			task.Stderr = strings.Repeat("e", c.stderr)
			k := task.Key(task.Stderr)
			r.put(task, k)
			list, err := ws.List(entryDir(k))
			must(t, err)
			var names []string
			for _, e := range list {
				names = append(names, "/"+e.Name)
			}
			slices.Sort(names)
			if got := strings.Join(names, " "); got != c.want {
				t.Errorf("%d bytes of stderr: %s, want %s", c.stderr, got, c.want)
			}
			o := r.mustHit(task, k)
			for want, stream := range map[string]cache.Stream{task.Stdout: o.Restored.Stdout, task.Stderr: o.Restored.Stderr} {
				if text, err := cachetest.StreamText(ws, stream); err != nil || text != want {
					t.Errorf("%d bytes of stderr: a stream is %q, %v", c.stderr, text, err)
				}
			}
			must(t, task.Outputs.Remove(ws))
		}
	})
}

// CACHE-037: an entry that a haz has made which did not pack is a hit, of which nothing is made anew; what is stored by force takes its place.
func TestOlderLayout(t *testing.T) {
	onBoth(t, func(t *testing.T, ws fsys.FS) {
		r := newRig(t, ws, cache.Options{})
		task := packed()
		k := task.Key()
		r.put(task, k)
		dir := entryDir(k)
		b, _, err := ws.ReadFile(dir+"/manifest.json", 0)
		must(t, err)
		m, err := manifest.Decode(b)
		must(t, err)
		m.Revision = manifest.Revision
		text, err := manifest.Encode(m)
		must(t, err)
		must(t, ws.RemoveAll(dir))
		older := cachetest.Tree{dir + "/manifest.json": cachetest.File(string(text), 0o600), dir + "/stdout": cachetest.File(task.Stdout, 0o600), dir + "/stderr": cachetest.File(task.Stderr, 0o600)}
		for _, item := range task.Outputs {
			if item.Kind == fsys.File {
				older[dir+"/outputs/"+hasher.Sum(fn, []byte(item.Text)).Hex()] = cachetest.File(item.Text, 0o400)
			}
		}
		must(t, older.Write(ws))
		o := r.mustHit(task, k)
		for want, stream := range map[string]cache.Stream{task.Stdout: o.Restored.Stdout, task.Stderr: o.Restored.Stderr} {
			if text, err := cachetest.StreamText(ws, stream); err != nil || text != want {
				t.Errorf("a stream is %q, %v", text, err)
			}
		}
		want := [2]cache.Stream{{Len: m.StdoutLen, Digest: m.StdoutHash}, {Len: m.StderrLen, Digest: m.StderrHash}}
		if stdout, stderr, ok := r.store.Printed(bg, k, want[0], want[1]); !ok || string(stdout) != task.Stdout || string(stderr) != task.Stderr {
			t.Errorf("printed: %q, %q, %v", stdout, stderr, ok)
		}
		if already, err := cachetest.Store(bg, r.store, task.Request(fn, k)); !already || err != nil {
			t.Errorf("already there: %v, %v", already, err)
		}
		q := task.Request(fn, k)
		q.Replace = true
		if already, err := cachetest.Store(bg, r.store, q); already || err != nil {
			t.Errorf("by force: %v, %v", already, err)
		}
		if list, err := ws.List(dir); err != nil || len(list) != 1 {
			t.Errorf("%v, %v", list, err)
		}
		must(t, task.Outputs.Remove(ws))
		r.mustHit(task, k)
		r.noLeftovers()
	})
}

// Streams that somebody has written down come back from a packed entry, and no others: of one that was damaged nothing is believed, or set aside.
func TestPrinted(t *testing.T) {
	onBoth(t, func(t *testing.T, ws fsys.FS) {
		r := newRig(t, ws, cache.Options{})
		task := packed()
		k := task.Key()
		stream := func(text string) cache.Stream {
			return cache.Stream{Len: int64(len(text)), Digest: hasher.Sum(fn, []byte(text))}
		}
		printed := func(stdout, stderr string) bool {
			o, e, ok := r.store.Printed(bg, k, stream(stdout), stream(stderr))
			if ok && (string(o) != stdout || string(e) != stderr) {
				t.Errorf("%q, %q in the place of %q, %q", o, e, stdout, stderr)
			}
			return ok
		}
		if printed(task.Stdout, task.Stderr) {
			t.Error("before there is an entry")
		}
		r.put(task, k)
		if !printed(task.Stdout, task.Stderr) {
			t.Error("not found")
		}
		for _, other := range [][2]string{{"OUT\n", "err\n"}, {"out\n", "ERR\n"}, {"out", "\nerr\n "}, {"out\n", strings.Repeat("x", 70_000)}} {
			if printed(other[0], other[1]) {
				t.Errorf("%q", other)
			}
		}
		file := entryDir(k) + "/manifest.json"
		b, _, err := ws.ReadFile(file, 0)
		must(t, err)
		must(t, cachetest.WriteFile(ws, file, strings.Replace(string(b), "\nout\nerr\n", "\nout\neRr\n", 1), 0o600))
		if printed(task.Stdout, task.Stderr) {
			t.Error("damaged, and believed")
		}
		if _, err := ws.Lstat(file); err != nil {
			t.Error(err)
		}
	})
}
