package state

import (
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/faultfs"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/layout"
)

// haz is one haz process of these tests.
type haz struct {
	s *State
}

// known are the ancestors of each haz, by its pid.
var known sync.Map

func newHaz(f fsys.FS, pid int, ancestors ...int) haz {
	s := Open(f, digest.BLAKE3)
	set := map[int]bool{pid: true}
	for _, a := range ancestors {
		set[a] = true
	}
	s.locks = locks{pid: pid, ancestors: func() map[int]bool { return set }}
	known.Store(pid, set)
	s.locks.ancestorsOf = func(pid int) map[int]bool {
		set, _ := known.Load(pid)
		return set.(map[int]bool)
	}
	return haz{s}
}

// run takes the locks of a task whose process gets that pid; 0: none yet.
func (h haz) run(t *testing.T, pid int, task string, conflicts ...string) (*TaskLocks, *Refused) {
	t.Helper()
	l, refused, err := h.s.TryLockTask(LockRequest{Task: task, Conflicts: conflicts})
	if err != nil || (l == nil) == (refused == nil) {
		t.Fatalf("locks %v, refused %+v, error %v", l, refused, err)
	}
	if l != nil {
		t.Cleanup(l.Unlock)
		if pid > 0 {
			l.SetProcess(pid)
		}
	}
	return l, refused
}

func (h haz) wantRefused(t *testing.T, want Refused, task string, conflicts ...string) {
	t.Helper()
	if _, got := h.run(t, 0, task, conflicts...); got == nil || *got != want {
		t.Errorf("%s: refused %+v, want %+v", task, got, want)
	}
}

func (h haz) wantTaken(t *testing.T, pid int, task string, conflicts ...string) *TaskLocks {
	t.Helper()
	l, refused := h.run(t, pid, task, conflicts...)
	if refused != nil {
		t.Errorf("%s: refused %+v", task, refused)
	}
	return l
}

// S-36 on both file systems: one task at a time, and one of those that may write the same paths.
func TestTaskLocks(t *testing.T) {
	for _, f := range bothDisks(t) {
		t.Run(strings.Fields(f.Name())[0], func(t *testing.T) {
			a, b := newHaz(f, 100), newHaz(f, 200)
			l := a.wantTaken(t, 0, "p:t", "p:u", "p:v")
			b.wantRefused(t, Refused{Task: "p:t", HazPID: 100}, "p:t", "p:u", "p:v")
			l.SetProcess(101)
			b.wantRefused(t, Refused{Task: "p:t", HazPID: 100, TaskPID: 101}, "p:t", "p:u", "p:v")
			b.wantRefused(t, Refused{Task: "p:t", HazPID: 100, TaskPID: 101}, "p:u", "p:t")
			b.wantTaken(t, 201, "p:other")
			// Both conflict with p:u, but not with each other.
			l2 := b.wantTaken(t, 202, "p:w", "p:u")
			l.Unlock()
			l.Unlock()
			b.wantTaken(t, 203, "p:t", "p:u", "p:v")
			l2.Unlock()
		})
	}
}

// All or none: who is refused holds nothing.
func TestRefusedHoldsNothing(t *testing.T) {
	mem := memfs.New()
	a, b, c := newHaz(mem, 1), newHaz(mem, 2), newHaz(mem, 3)
	a.wantTaken(t, 11, "p:z")
	b.wantRefused(t, Refused{Task: "p:z", HazPID: 1, TaskPID: 11}, "p:b", "p:a", "p:c", "p:z")
	for _, task := range []string{"p:a", "p:b", "p:c"} {
		c.wantTaken(t, 0, task)
	}
}

// All go through the locks in one order, so that of two that want the same one gets them.
func TestLocksAreTakenInOneOrder(t *testing.T) {
	f := faultfs.New(memfs.New(), 0)
	newHaz(f, 1).wantTaken(t, 0, "p:b", "p:c", "p:a", "p:c")
	var names []string
	for _, c := range f.Calls() {
		if c.Op == faultfs.OpTryLock {
			names = append(names, c.Name)
		}
	}
	var want []string
	for _, task := range []string{"p:a", "p:b", "p:c"} {
		want = append(want, fmt.Sprintf("%s/%s.%011x", layout.StateDir, locksName, uint64(lockID(ownLock, task, ""))))
	}
	if !slices.Equal(names, want) {
		t.Errorf("took %q, want %q", names, want)
	}
}

// Somebody has our lock in shared mode, and nobody says who (it is about to give it back).
func TestUnknownHolder(t *testing.T) {
	mem := memfs.New()
	a, b := newHaz(mem, 1), newHaz(mem, 2)
	a.wantTaken(t, 11, "p:a", "p:b")
	b.wantRefused(t, Refused{Task: "p:b"}, "p:b") // without knowing that p:a conflicts
}

// .haz/state may be deleted at any time: locks in a file that nobody finds any more exclude nobody, and are not taken. On a
// real disk whoever has them stands on the board.
func TestLocksOfADeletedState(t *testing.T) {
	for _, f := range bothDisks(t) {
		t.Run(strings.Fields(f.Name())[0], func(t *testing.T) {
			a, b := newHaz(f, 100), newHaz(f, 200)
			a.wantTaken(t, 0, "p:x").Unlock() // leaves an open file to the next one
			held := b.wantTaken(t, 201, "p:t")
			if err := f.RemoveAll(layout.StateDir); err != nil {
				t.Fatal(err)
			}
			if hasBoard(f) {
				a.wantRefused(t, Refused{Task: "p:t", HazPID: 200, TaskPID: 201}, "p:t")
				held.Unlock()
			}
			a.wantTaken(t, 101, "p:t")
			held.Unlock()
			b.wantRefused(t, Refused{Task: "p:t", HazPID: 100, TaskPID: 101}, "p:t")
			if trouble := append(a.s.Trouble(), b.s.Trouble()...); len(trouble) > 0 {
				t.Errorf("trouble: %q", trouble)
			}
		})
	}
}

func hasBoard(f fsys.FS) bool {
	b, err := fsys.OpenBoard(f, "/")
	if err == nil {
		_ = b.Close()
	}
	return err == nil
}

// The same while other tasks of this haz give theirs back: each task has its locks, and nobody is told that locks do not work.
func TestLocksWhileStateIsDeleted(t *testing.T) {
	const tasks = 8
	for _, f := range bothDisks(t) {
		h := newHaz(f, 100)
		for round := range 50 {
			held := make([]*TaskLocks, tasks)
			for i := range held {
				held[i] = h.wantTaken(t, 0, fmt.Sprint("p:", i))
			}
			if err := f.RemoveAll(layout.StateDir); err != nil {
				t.Fatal(err)
			}
			var group sync.WaitGroup
			for i, l := range held {
				group.Go(func() {
					l.Unlock()
					held[i], _, _ = h.s.TryLockTask(LockRequest{Task: fmt.Sprint("p:", i)})
				})
			}
			group.Wait()
			for i, l := range held {
				if l == nil || len(l.sets) == 0 {
					t.Fatalf("round %d: task %d runs without locks: %q", round, i, h.s.Trouble())
				}
				if _, refused, _ := newHaz(f, 200).s.TryLockTask(LockRequest{Task: fmt.Sprint("p:", i)}); refused == nil {
					t.Fatalf("round %d: the locks of task %d exclude nobody", round, i)
				}
			}
			for _, l := range held {
				l.Unlock()
			}
		}
		h.s.Flush()
	}
}

// A task that ends later than its run leaves no open file behind, and the locks are free.
func TestLocksAfterFlush(t *testing.T) {
	f := faultfs.New(memfs.New(), 0)
	h := newHaz(f, 100)
	l := h.wantTaken(t, 101, "p:t")
	h.s.Flush()
	l.Unlock()
	if opened, closed := f.Count(faultfs.Is(faultfs.OpOpenLocks)), f.Count(faultfs.All(faultfs.Is(faultfs.OpClose), faultfs.Under(layout.StateDir+"/"+locksName))); opened != closed {
		t.Errorf("opened %d times, closed %d times", opened, closed)
	}
	newHaz(f, 200).wantTaken(t, 0, "p:t")
}

// Two tasks of one haz have each their own locks, and one handle serves one after the other.
func TestLocksOfOneHaz(t *testing.T) {
	f := faultfs.New(memfs.New(), 0)
	a := newHaz(f, 100)
	for i := range 3 {
		l1, l2 := a.wantTaken(t, 101+i, "p:t", "p:u"), a.wantTaken(t, 201+i, "p:v", "p:u")
		a.wantRefused(t, Refused{Task: "p:v", HazPID: 100, TaskPID: 201 + i}, "p:u", "p:v")
		l1.Unlock()
		l2.Unlock()
	}
	a.s.Flush()
	if n := f.Count(faultfs.Is(faultfs.OpOpenLocks)); n > 4 { // one finds no directory yet
		t.Errorf("opened %d times", n)
	}
	newHaz(f, 300).wantTaken(t, 301, "p:t", "p:u", "p:v")
}

// Nested use (section 10). The outer haz is 1; its task p:outer is process 11; the inner haz descends from it.
func TestNestedUse(t *testing.T) {
	t.Run("mem", func(t *testing.T) { testNestedUse(t, func(*testing.T) fsys.FS { return memfs.New() }) })
	t.Run("host", func(t *testing.T) { testNestedUse(t, func(t *testing.T) fsys.FS { return hostDisk(t) }) })
}

func testNestedUse(t *testing.T, disk func(*testing.T) fsys.FS) {
	t.Run("a task that runs itself fails at once", func(t *testing.T) {
		f := disk(t)
		newHaz(f, 1).wantTaken(t, 11, "p:t", "p:u")
		newHaz(f, 2, 11, 1).wantRefused(t, Refused{Task: "p:t", HazPID: 1, TaskPID: 11, Ancestor: true}, "p:t", "p:u")
	})
	t.Run("also through another", func(t *testing.T) {
		f := disk(t)
		newHaz(f, 1).wantTaken(t, 11, "p:t")
		newHaz(f, 2, 11, 1).wantTaken(t, 21, "p:other")
		newHaz(f, 3, 21, 2, 11, 1).wantRefused(t, Refused{Task: "p:t", HazPID: 1, TaskPID: 11, Ancestor: true}, "p:t")
	})
	t.Run("the same task of a stranger is waited for", func(t *testing.T) {
		f := disk(t)
		newHaz(f, 1).wantTaken(t, 11, "p:t")
		newHaz(f, 2, 12, 1).wantRefused(t, Refused{Task: "p:t", HazPID: 1, TaskPID: 11}, "p:t") // another task of an ancestor haz
	})
	t.Run("a conflict that waits for us counts as free", func(t *testing.T) {
		f := disk(t)
		newHaz(f, 1).wantTaken(t, 11, "p:outer", "p:t")
		newHaz(f, 2, 11, 1).wantTaken(t, 21, "p:t", "p:outer")
	})
	t.Run("another task of the ancestor haz does not", func(t *testing.T) {
		f := disk(t)
		outer := newHaz(f, 1)
		outer.wantTaken(t, 11, "p:outer", "p:t")
		outer.wantTaken(t, 12, "p:beside", "p:t")
		newHaz(f, 2, 11, 1).wantRefused(t, Refused{Task: "p:beside", HazPID: 1, TaskPID: 12}, "p:t", "p:outer", "p:beside")
	})
	t.Run("two that were let pass keep apart", func(t *testing.T) {
		f := disk(t)
		newHaz(f, 1).wantTaken(t, 11, "p:outer", "p:t", "p:u")
		l := newHaz(f, 2, 11, 1).wantTaken(t, 21, "p:t", "p:outer", "p:u")
		third := newHaz(f, 3, 11, 1)
		third.wantRefused(t, Refused{Task: "p:t", HazPID: 2, TaskPID: 21}, "p:t", "p:outer", "p:u")
		third.wantRefused(t, Refused{Task: "p:t", HazPID: 2, TaskPID: 21}, "p:u", "p:outer", "p:t")
		newHaz(f, 4).wantRefused(t, Refused{Task: "p:outer", HazPID: 1, TaskPID: 11}, "p:t", "p:outer", "p:u")
		l.Unlock()
		third.wantTaken(t, 31, "p:u", "p:outer", "p:t")
	})
	t.Run("three deep, each let pass", func(t *testing.T) {
		f := disk(t)
		newHaz(f, 1).wantTaken(t, 11, "p:a", "p:b", "p:c")
		newHaz(f, 2, 11, 1).wantTaken(t, 21, "p:b", "p:a", "p:c")
		inner := newHaz(f, 3, 21, 2, 11, 1)
		inner.wantRefused(t, Refused{Task: "p:b", HazPID: 2, TaskPID: 21, Ancestor: true}, "p:b", "p:a", "p:c")
		inner.wantTaken(t, 31, "p:c", "p:a", "p:b")
	})
	t.Run("of two nested ones, the outer of which is no conflict", func(t *testing.T) {
		f := disk(t)
		newHaz(f, 1).wantTaken(t, 11, "p:a", "p:b")
		newHaz(f, 2, 11, 1).wantTaken(t, 21, "p:b", "p:a", "p:c")
		newHaz(f, 3, 21, 2, 11, 1).wantTaken(t, 31, "p:c", "p:b")
	})
}

// This test program is a descendant of its parent, of its session, and of itself; a child of it of all three.
func TestAncestors(t *testing.T) {
	if os.Getenv("HAZ_TEST_ANCESTOR") != "" {
		want, _ := strconv.Atoi(os.Getenv("HAZ_TEST_ANCESTOR"))
		if !ancestors()[want] {
			t.Fatalf("%d is not among the ancestors %v", want, ancestors())
		}
		return
	}
	set := ancestors()
	if !set[os.Getpid()] || !set[os.Getppid()] || set[0] {
		t.Errorf("ancestors of %d: %v", os.Getpid(), set)
	}
	for _, through := range [][]string{{}, {"/bin/sh", "-c", `"$@"; exit $?`, "sh"}} {
		argv := append(through, os.Args[0], "-test.run=^TestAncestors$")
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Env = append(os.Environ(), "HAZ_TEST_ANCESTOR="+strconv.Itoa(os.Getpid()))
		if out, err := cmd.CombinedOutput(); err != nil && (len(through) == 0 || len(set) > 2) {
			t.Errorf("%q: %v\n%s", argv, err, out)
		}
	}
}

func BenchmarkTaskLocks(b *testing.B) {
	disk := hostDisk(b)
	s := Open(disk, digest.BLAKE3)
	for _, n := range []int{1, 6, 10_000} {
		r := LockRequest{Task: "p:t"}
		for i := range n {
			r.Conflicts = append(r.Conflicts, fmt.Sprint("p:", i))
		}
		b.Run(fmt.Sprintf("neighbours=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				l, _, _ := s.TryLockTask(r)
				l.SetProcess(5)
				l.Unlock()
			}
		})
	}
}

// Where there are neither lock files nor a board, nothing shows that a task runs itself; so haz in haz in haz has an end.
func TestDepthWithoutLocks(t *testing.T) {
	for _, deep := range []int{0, maxNested - 1, maxNested, 100} {
		h := newHaz(full{memfs.New()}, 100)
		h.s.locks.depth = func() int { return deep }
		l, refused := h.run(t, 0, "p:t")
		if want := deep >= maxNested; (refused != nil) != want || refused != nil && refused.Deep != deep {
			t.Errorf("%d deep: locks %v, refused %+v", deep, l, refused)
		}
	}
}

// Where nothing can be written, the board alone keeps tasks apart and shows a task that runs itself.
func TestBoardWithoutFiles(t *testing.T) {
	f := hostDisk(t)
	if !hasBoard(f) {
		t.Skip("no board here")
	}
	if err := f.MkdirAll(layout.Dir, 0o700); err != nil {
		t.Fatal(err)
	}
	if w, err := f.Create(layout.StateDir); err != nil { // a file where the folder should be
		t.Fatal(err)
	} else {
		_ = w.Close()
	}
	a := newHaz(f, 1)
	l := a.wantTaken(t, 11, "p:t", "p:u")
	newHaz(f, 2).wantRefused(t, Refused{Task: "p:t", HazPID: 1, TaskPID: 11}, "p:t")
	newHaz(f, 3).wantRefused(t, Refused{Task: "p:t", HazPID: 1, TaskPID: 11}, "p:u", "p:t")
	newHaz(f, 4, 11).wantRefused(t, Refused{Task: "p:t", HazPID: 1, TaskPID: 11, Ancestor: true}, "p:t")
	newHaz(f, 5, 11).wantTaken(t, 51, "p:u", "p:t").Unlock()
	if trouble := a.s.Trouble(); len(trouble) > 0 {
		t.Errorf("trouble: %q", trouble)
	}
	l.Unlock()
	newHaz(f, 6).wantTaken(t, 61, "p:t")
}

// Who makes a thing and who reads it are kept apart, whoever comes first; those who read it are not. A task that is not cached
// may let go of what it reads while it goes on.
func TestReaders(t *testing.T) {
	make := LockRequest{Task: "p:make", Readers: []string{"p:read", "p:serve"}}
	read := LockRequest{Task: "p:read", Reads: []string{"p:make"}}
	serve := LockRequest{Task: "p:serve", Reads: []string{"p:make"}, Brief: true}
	for _, f := range bothDisks(t) {
		t.Run(strings.Fields(f.Name())[0], func(t *testing.T) {
			hold := func(pid int, r LockRequest) *TaskLocks {
				t.Helper()
				l, refused, _ := newHaz(f, pid).s.TryLockTask(r)
				if refused != nil {
					t.Fatalf("%s is refused: %+v", r.Task, refused)
				}
				l.SetProcess(pid + 1)
				return l
			}
			refused := func(pid int, r LockRequest, want Refused) {
				t.Helper()
				if l, got, _ := newHaz(f, pid).s.TryLockTask(r); got == nil || *got != want {
					t.Errorf("%s: got %+v, %+v, want %+v", r.Task, l, got, want)
				}
			}
			m := hold(100, make)
			refused(200, read, Refused{Task: "p:make", HazPID: 100, TaskPID: 101})
			refused(200, serve, Refused{Task: "p:make", HazPID: 100, TaskPID: 101})
			m.Unlock()

			s, r := hold(200, serve), hold(300, read)
			refused(100, make, Refused{Task: "p:read", HazPID: 300, TaskPID: 301})
			r.Unlock()
			refused(100, make, Refused{Task: "p:serve", HazPID: 200, TaskPID: 201})
			s.DoneReading()
			s.DoneReading()
			m = hold(100, make)
			refused(300, read, Refused{Task: "p:make", HazPID: 100, TaskPID: 101})
			m.Unlock()
			refused(300, serve, Refused{Task: "p:serve", HazPID: 200, TaskPID: 201}) // a second server
			s.Unlock()
			s.DoneReading()
			hold(300, serve).Unlock()

			r = hold(300, read)
			r.DoneReading() // its request was not brief
			refused(100, make, Refused{Task: "p:read", HazPID: 300, TaskPID: 301})
			r.Unlock()
		})
	}
}

// The file system of a host may panic while locks are given back: nobody waits for them afterwards.
func TestPanicGivesLocksBack(t *testing.T) {
	mem := memfs.New()
	fail := false
	f := faultfs.New(mem, 0, faultfs.Rule{Match: func(c faultfs.Call) bool {
		if fail && c.Op == faultfs.OpUnlock {
			fail = false
			panic("broken")
		}
		return false
	}})
	a, b := newHaz(f, 1001), newHaz(mem, 1002)
	l, _ := a.run(t, 0, "p:t")
	fail = true
	func() {
		defer func() {
			if recover() == nil {
				t.Error("no panic")
			}
		}()
		l.Unlock()
	}()
	if _, refused := b.run(t, 0, "p:t"); refused != nil {
		t.Errorf("still held: %+v", refused)
	}
}
