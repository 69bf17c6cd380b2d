package haz_test

import (
	"os"
	"strings"
	"syscall"
	"testing"

	haz "github.com/haz-build/haz"
	"github.com/haz-build/haz/fsys/faultfs"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/messages"
)

// A broken cache is never a reason for a task to fail (S-01): each call on cache and state fails once, cold, with nothing to
// do, and with outputs to restore. The run is right every time, and so is the next one.
func TestCacheFaultsFailNoTask(t *testing.T) {
	inCache := func(c faultfs.Call) bool {
		return strings.HasPrefix(c.Name, "/ws/.haz/cache") || strings.HasPrefix(c.Name, "/ws/.haz/state")
	}
	right := []string{"/lib/out/lib.a", "source\n", "/app/bin/app", "source\nmain\n"}
	for name, prepare := range map[string]func(*testing.T, *world){
		"cold":    func(*testing.T, *world) {},
		"warm":    func(t *testing.T, w *world) { w.run(t, haz.RunOptions{}) },
		"restore": func(t *testing.T, w *world) { w.run(t, haz.RunOptions{}); w.remove(t, "/lib/out", "/app/bin") },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start := inMemory(t)
			pair(t, start)
			prepare(t, start)
			step := 5 // HAZ_LONG=1 tries every call
			if os.Getenv("HAZ_LONG") != "" {
				step = 1
			}
			for k := 0; ; k += step {
				w := inTree(t, start.mem.Clone())
				faulty := faultfs.New(w.mem, 0, faultfs.Rule{At: k, Match: inCache, Errs: []error{syscall.EIO}})
				ws := w.open(t, haz.WithFileSystem(faulty))
				r, err := ws.Run(t.Context(), []int{0, 1}, haz.RunOptions{})
				if err != nil || r.Counts.Completed != 2 || len(r.Violations) > 0 {
					t.Fatalf("call %d fails (%v): %+v, %v", k, faulty.Injected(), r, err)
				}
				w.has(t, right...)
				again := inTree(t, w.mem)
				again.remove(t, "/lib/out", "/app/bin")
				if r := again.run(t, haz.RunOptions{}); r.Counts.Completed != 2 {
					t.Errorf("after call %d has failed: %+v", k, r.Counts)
				}
				again.has(t, right...)
				if t.Failed() {
					t.Fatalf("call %d was to fail: %v", k, faulty.Injected())
				}
				if faulty.Injected().Total() == 0 {
					if k < 10 {
						t.Errorf("only %d calls were tried", k)
					}
					t.Logf("%d faults", k/step)
					return
				}
			}
		})
	}
}

// An input that is there but cannot be read is an error of its task that names it; others go on, nothing is stored.
func TestUnreadableInput(t *testing.T) {
	for name, at := range map[string]func(*testing.T, *world) haz.Option{
		"denied": func(t *testing.T, w *world) haz.Option {
			w.write(t, "/p/in.txt", "secret")
			return haz.WithFileSystem(faultfs.New(w.mem, 0, faultfs.Rule{Sticky: true, Errs: []error{syscall.EACCES},
				Match: func(c faultfs.Call) bool {
					return c.Name == "/ws/p/in.txt" && (c.Op == faultfs.OpReadFile || c.Op == faultfs.OpOpen || c.Op == faultfs.OpRead)
				}}))
		},
		"a FIFO": func(t *testing.T, w *world) haz.Option {
			if err := w.fs.(*memfs.FS).Mkfifo("/p/in.txt", 0o644); err != nil {
				t.Fatal(err)
			}
			return haz.WithFileSystem(w.mem)
		},
		"a dangling link": func(t *testing.T, w *world) haz.Option {
			if err := w.fs.Symlink("nowhere", "/p/in.txt"); err != nil {
				t.Fatal(err)
			}
			return haz.WithFileSystem(w.mem)
		},
	} {
		t.Run(name, func(t *testing.T) {
			w := inMemory(t)
			tasks(t, w,
				`t: shell: "echo > ran.txt", inputs: [in.txt], outputs: [ran.txt]`,
				`u: shell: "echo"`)
			r := w.runWith(t, t.Context(), w.open(t, at(t, w)), haz.RunOptions{})
			r.counts(t, 1, 0, 1, 0, 0)
			r.processes(t, "p:u")
			o := r.outcome(t, "p:t")
			if o.Error == nil || o.Error.Kind != messages.ErrKey || !strings.Contains(o.Error.Reason, "/p/in.txt") {
				t.Errorf("%+v, error %+v", o, o.Error)
			}
			w.has(t, "/p/ran.txt", "absent")
			if n := len(w.entries(t)); n != 1 {
				t.Errorf("%d entries", n)
			}
		})
	}
}
