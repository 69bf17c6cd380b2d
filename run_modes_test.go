package haz_test

import (
	"testing"

	haz "github.com/haz-build/haz"
	"github.com/haz-build/haz/messages"
)

// What each cache mode reads and writes.
func TestCacheModes(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		pair(t, w)
		steps := []struct {
			name    string
			mode    haz.CacheMode
			edit    string // new text of src.txt; "" leaves it
			cached  int
			store   messages.StoreResult // of lib:compile
			entries int
		}{
			{"read-only, empty cache", haz.ReadOnly, "", 0, messages.NotStored, 0},
			{"off", haz.Off, "", 0, messages.NotStored, 0},
			{"read-write", haz.ReadWrite, "", 0, messages.Stored, 2},
			{"read-only hits", haz.ReadOnly, "", 2, 0, 2},
			{"off does not look", haz.Off, "", 0, messages.NotStored, 2},
			{"write-only runs and replaces", haz.WriteOnly, "", 0, messages.Stored, 2},
			{"read-write hits", haz.ReadWrite, "", 2, 0, 2},
			{"write-only stores", haz.WriteOnly, "edited\n", 0, messages.Stored, 4},
			{"read-write hits what that stored", haz.ReadWrite, "", 2, 0, 4},
			{"read-only stores nothing", haz.ReadOnly, "again\n", 0, messages.NotStored, 4},
			{"so it runs", haz.ReadWrite, "", 0, messages.Stored, 6},
		}
		for _, s := range steps {
			if s.edit != "" {
				w.write(t, "/lib/src.txt", s.edit)
			}
			r := w.run(t, haz.RunOptions{Cache: s.mode})
			if r.Counts.Completed != 2 || r.Counts.Cached != s.cached || len(r.started) != 2-s.cached {
				t.Errorf("%s: %+v, processes %q", s.name, r.Counts, r.started)
			}
			if o := r.outcome(t, "lib:compile"); o.Store != s.store || s.store == messages.NotStored && o.StoreReason == "" {
				t.Errorf("%s: store result %d (%s), want %d", s.name, o.Store, o.StoreReason, s.store)
			}
			if n := len(w.entries(t)); n != s.entries {
				t.Errorf("%s: %d entries, want %d", s.name, n, s.entries)
			}
		}
	})
}

// `cache: false` always runs, is never stored, and nobody is told; what depends on it may hit, for its outputs are in the key.
func TestUncachedTask(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		tasks(t, w,
			`gen: shell: "cat in.txt > gen.txt", outputs: [gen.txt], cache: false`,
			`use: shell: "cat gen.txt > use.txt", inputs: [gen.txt], outputs: [use.txt], deps: ["~:gen"]`)
		w.write(t, "/p/in.txt", "1")
		w.run(t, haz.RunOptions{}).counts(t, 2, 0, 0, 0, 0)
		r := w.run(t, haz.RunOptions{})
		r.counts(t, 2, 1, 0, 0, 0)
		r.processes(t, "p:gen")
		if o := r.outcome(t, "p:gen"); o.Store != messages.NotStored || o.Miss == nil || o.Miss.Reason.String() != "uncached" || len(r.notes("p:gen")) > 0 {
			t.Errorf("%+v, notes %q", o, r.notes("p:gen"))
		}
		w.write(t, "/p/in.txt", "2")
		r = w.run(t, haz.RunOptions{})
		r.counts(t, 2, 0, 0, 0, 0)
		w.has(t, "/p/use.txt", "2")
	})
}

// The host environment counts as far as a task lists it, and no further.
func TestEnvironmentInTheKey(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		w.write(t, "/.haz/workspace.yml", "projects: [/p]\n",
			"/p/haz.yml", "name: p\ntasks:\n  t: {shell: 'echo', env: {from_host: [MODE]}}\n")
		run := func(env ...string) *ran {
			return w.runWith(t, t.Context(), w.open(t, haz.WithEnvironment(env)), haz.RunOptions{})
		}
		run("MODE=a").counts(t, 1, 0, 0, 0, 0)
		run("MODE=a", "OTHER=1").counts(t, 1, 1, 0, 0, 0)
		run("MODE=b").counts(t, 1, 0, 0, 0, 0)
		run().counts(t, 1, 0, 0, 0, 0)
		run("MODE=a").counts(t, 1, 1, 0, 0, 0)
	})
}

// Both hash functions work, and an entry of one is nothing to the other.
func TestHashFunctions(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		pair(t, w)
		w.run(t, haz.RunOptions{}).counts(t, 2, 0, 0, 0, 0)
		w.write(t, "/.haz/workspace.yml", "projects: [/lib, /app]\ncache: {hash: sha256}\n")
		w.run(t, haz.RunOptions{}).counts(t, 2, 0, 0, 0, 0)
		r := w.run(t, haz.RunOptions{})
		r.counts(t, 2, 2, 0, 0, 0)
		if r.Hash.String() != "sha256" {
			t.Errorf("hash %s", r.Hash)
		}
	})
}
