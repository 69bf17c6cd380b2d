package haz_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	haz "github.com/haz-build/haz"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/messages"
)

// The worked examples of chapter 2, section 14, that have no test of their own elsewhere: 14.1 and 14.2 are in run_test.go,
// 14.6 in run_stop_test.go, 14.7 in run_limits_test.go.

// 14.3: an input that is edited under way. The task completes, its result is not stored, and it is said why.
func TestInputEditedUnderWay(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		tasks(t, w, `t: shell: "await edited; cat in.txt > out.txt", inputs: [in.txt], outputs: [out.txt]`)
		w.write(t, "/p/in.txt", "A")
		r := w.run(t, haz.RunOptions{Observer: func(e messages.Event) {
			if _, ok := e.(messages.TaskStarted); ok {
				w.write(t, "/p/in.txt", "B")
				w.write(t, "/p/edited", "")
			}
		}})
		r.counts(t, 1, 0, 0, 0, 0)
		w.has(t, "/p/out.txt", "B")
		o := r.outcome(t, "p:t")
		if o.Store != messages.NotStored || o.StoreReason != "/p/in.txt changed while the task ran" || len(w.entries(t)) > 0 {
			t.Errorf("%+v", o)
		}
		if n := r.notes("p:t"); len(n) != 1 || !strings.Contains(n[0], "/p/in.txt changed while the task ran") {
			t.Errorf("notes %q", n)
		}

		w.write(t, "/p/in.txt", "A")
		r = w.run(t, haz.RunOptions{})
		r.counts(t, 1, 0, 0, 0, 0)
		w.has(t, "/p/out.txt", "A")
		if o := r.outcome(t, "p:t"); o.Store != messages.Stored {
			t.Errorf("%+v", o)
		}
	})
}

// still is a clock that stands still, so that no task has more looks than the fewest.
type still struct{ set }

func (still) Now() time.Time { return time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC) }

// S-65: an output that one task found changed is looked at by the next one behind whose deps it lies, farther away than that would look.
func TestSuspectsAreLookedAt(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		names := strings.Fields(strings.Repeat("0 1 2 3 4 5 6 7 8 9 ", 2))
		for i := range names {
			names[i] = fmt.Sprintf("many%02d", i)
		}
		tasks(t, w,
			`base: shell: "echo A > base.txt", outputs: [base.txt]`,
			`many: shell: "echo 1 > `+strings.Join(names, "; echo 1 > ")+`", outputs: [`+strings.Join(names, ", ")+`], deps: ["~:base"]`,
			`near: shell: "echo A > near.txt", outputs: [near.txt], deps: ["~:many"]`,
			`edits: shell: "echo EDIT > base.txt; echo A > edits.txt", outputs: [edits.txt], deps: ["~:base"], weakDeps: ["~:near"]`,
			`last: shell: "cat base.txt > last.txt", outputs: [last.txt], deps: ["~:near"], weakDeps: ["~:edits"]`,
			`apart: shell: "echo A > apart.txt", outputs: [apart.txt], weakDeps: ["~:edits"]`)
		r := w.runWith(t, t.Context(), w.open(t, haz.WithClock(still{})), haz.RunOptions{})
		r.counts(t, 6, 0, 0, 0, 0)
		for _, task := range []string{"p:edits", "p:last"} {
			if o := r.outcome(t, task); o.Store != messages.NotStored || o.StoreReason != "/p/base.txt, made by p:base, changed before the task had ended" {
				t.Errorf("%s: %+v", task, o)
			}
		}
		for _, task := range []string{"p:near", "p:apart"} {
			if o := r.outcome(t, task); o.Store != messages.Stored {
				t.Errorf("%s: %+v", task, o)
			}
		}
	})
}

// 14.4: one flipped bit, wherever it is. The entry is put aside, a note says so, the task executes, and the bytes are right.
func TestFlippedBit(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		tasks(t, w, `t: shell: "echo words; echo more >&2; echo text > out.txt", outputs: [out.txt]`)
		w.run(t, haz.RunOptions{})
		// All lie in one file: what was printed, the output and the manifest (CACHE-037). Those in files of their own are TestDamage's.
		for _, part := range []string{"words\n", "more\n", "text\n", "haz manifest"} {
			name := w.entries(t)[0] + "/manifest.json"
			b, _, err := w.fs.ReadFile(name, 0)
			if err != nil {
				t.Fatal(err)
			}
			at := strings.LastIndex(string(b), part)
			if at < 0 {
				t.Fatalf("%q has no %q", b, part)
			}
			b[at+1] ^= 1
			if err := w.fs.Chmod(name, 0o600); err != nil {
				t.Fatal(err)
			}
			w.write(t, name, string(b))
			w.remove(t, "/p/out.txt")

			r := w.run(t, haz.RunOptions{})
			r.counts(t, 1, 0, 0, 0, 0)
			r.processes(t, "p:t")
			w.has(t, "/p/out.txt", "text\n")
			if o := r.outcome(t, "p:t"); o.Store != messages.Stored || o.Miss == nil || o.Miss.Reason.String() != "corrupt entry" {
				t.Errorf("%s: %+v", part, o)
			}
			if r.output("p:t", false) != "words\n" {
				t.Errorf("%s: stdout %q", part, r.output("p:t", false))
			}
			if len(r.notes("p:t")) == 0 {
				t.Errorf("%s: nobody was told", part)
			}
			damaged, err := w.fs.List("/.haz/cache/.damaged")
			if err != nil || len(damaged) == 0 {
				t.Errorf("%s: put aside is %v, %v", part, damaged, err)
			}
			w.remove(t, "/p/out.txt")
			w.run(t, haz.RunOptions{}).counts(t, 1, 1, 0, 0, 0)
			w.has(t, "/p/out.txt", "text\n")
		}
	})
}

// 14.5: the same words in two projects are two actions, since the place is in the key.
func TestSameWordsInTwoProjects(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		w.write(t, "/.haz/workspace.yml", "projects: [/a, /b]\n")
		for _, p := range []string{"a", "b"} {
			w.write(t, "/"+p+"/haz.yml", "name: "+p+"\ntasks:\n  t: {command: [sh, -c, 'pwd > out.txt'], outputs: [out.txt]}\n")
		}
		r := w.run(t, haz.RunOptions{})
		if a, b := r.outcome(t, "a:t"), r.outcome(t, "b:t"); a.Key == b.Key || len(w.entries(t)) != 2 {
			t.Errorf("keys %s and %s, %d entries", a.Key, b.Key, len(w.entries(t)))
		}
		w.remove(t, "/a/out.txt", "/b/out.txt")
		w.run(t, haz.RunOptions{}).counts(t, 2, 2, 0, 0, 0)
		w.has(t, "/a/out.txt", w.dir+"/a\n", "/b/out.txt", w.dir+"/b\n")
	})
}

// 14.8: a hit removes what an earlier result of the task left in the tree and nobody has touched, and nothing else.
func TestStaleOutputs(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		// Which files it writes is in the script: the other one is another task body, so another key.
		input := func(n, name string) {
			tasks(t, w, `gen: shell: "mkdir -p out; cat in.txt > out/f1; cat in.txt > out/`+name+`", inputs: [in.txt], outputs: ["out/*"]`)
			w.write(t, "/p/in.txt", n)
		}
		input("1", "f2")
		w.run(t, haz.RunOptions{}).counts(t, 1, 0, 0, 0, 0)
		w.remove(t, "/p/out")
		input("2", "f3")
		w.run(t, haz.RunOptions{}).counts(t, 1, 0, 0, 0, 0)
		w.write(t, "/p/out/notes", "mine")

		input("1", "f2")
		r := w.run(t, haz.RunOptions{})
		r.counts(t, 1, 1, 0, 0, 0)
		w.has(t, "/p/out/f1", "1", "/p/out/f2", "1", "/p/out/f3", "absent", "/p/out/notes", "mine")

		// What the user has edited stays as well.
		w.write(t, "/p/out/f2", "edited")
		input("2", "f3")
		w.run(t, haz.RunOptions{}).counts(t, 1, 1, 0, 0, 0)
		w.has(t, "/p/out/f1", "2", "/p/out/f2", "edited", "/p/out/f3", "2", "/p/out/notes", "mine")
	})
}

// A formatter reads and writes the same files: it runs once for what it finds, and then has nothing to do (EXEC-018).
func TestFormatter(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		tasks(t, w, `fmt: shell: "echo tidy > code.txt", inputs: [code.txt], outputs: [code.txt]`)
		w.write(t, "/p/code.txt", "  untidy")
		w.run(t, haz.RunOptions{}).counts(t, 1, 0, 0, 0, 0)
		w.has(t, "/p/code.txt", "tidy\n")
		w.run(t, haz.RunOptions{}).counts(t, 1, 0, 0, 0, 0) // for its new input there is no entry yet
		before := w.infos(t)
		w.run(t, haz.RunOptions{}).counts(t, 1, 1, 0, 0, 0)
		sameInfos(t, before, w.infos(t))
	})
}

// Links stay links, empty directories are kept, modes come back (S-18, S-19).
func TestKindsOfOutputs(t *testing.T) {
	w := onDisk(t)
	tasks(t, w, `t: shell: "mkdir -p out/empty; echo run > out/tool; chmod 755 out/tool; ln -s tool out/link; ln -s nowhere out/broken", outputs: ["out/**"]`)
	w.run(t, haz.RunOptions{}).counts(t, 1, 0, 0, 0, 0)
	w.remove(t, "/p/out")
	r := w.run(t, haz.RunOptions{})
	r.counts(t, 1, 1, 0, 0, 0)
	for name, want := range map[string]string{"/p/out/link": "tool", "/p/out/broken": "nowhere"} {
		if got, err := w.fs.Readlink(name); got != want || err != nil {
			t.Errorf("%s leads to %q, %v", name, got, err)
		}
	}
	if info, err := w.fs.Lstat("/p/out/tool"); err != nil || info.Perm != 0o755 {
		t.Errorf("%+v, %v", info, err)
	}
	if info, err := w.fs.Lstat("/p/out/empty"); err != nil || info.Kind != fsys.Dir {
		t.Errorf("%+v, %v", info, err)
	}
	var paths []string
	for _, o := range r.outcome(t, "p:t").Outputs {
		paths = append(paths, o.Path)
	}
	if !slices.Equal(paths, []string{"/p/out/broken", "/p/out/empty", "/p/out/link", "/p/out/tool"}) {
		t.Errorf("outputs %q", paths)
	}
}
