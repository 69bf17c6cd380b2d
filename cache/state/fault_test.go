package state

import (
	"context"
	"fmt"
	"reflect"
	"syscall"
	"testing"
	"time"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/faultfs"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/layout"
)

// faultWorld is a workspace with an old and a young file and a .haz/state that an earlier run has left.
func faultWorld(t testing.TB) *memfs.FS {
	mem := memfs.New()
	write(t, mem, "/old", "old")
	write(t, mem, "/edited", "one")
	mem.Advance(time.Hour)
	s := Open(mem, digest.BLAKE3)
	for _, name := range []string{"/old", "/edited"} {
		digestOf(t, s, name)
	}
	s.WriteProducts(faultProductss[0])
	s.WriteLastKey("p:t", lastKey("p:t", "first"))
	s.Flush()
	write(t, mem, "/edited", "two")
	mem.Advance(time.Hour)
	write(t, mem, "/young", "young")
	return mem
}

var faultProductss = []Products{{Task: "p:t", Files: []Produced{{Path: "/a"}}}, {Task: "p:t", Files: []Produced{{Path: "/a"}, {Path: "/b"}}}}

var faultContents = map[string]string{"/old": "old", "/edited": "two", "/young": "young"}

// use does all that a run does with the state. Whatever the disk under .haz does, nothing fails.
func use(t *testing.T, what string, s *State) {
	t.Helper()
	for range 2 {
		for name, text := range faultContents {
			d, _, err := s.DigestFile(context.Background(), name, fsys.Info{})
			if err != nil || d != hasher.Sum(digest.BLAKE3, []byte(text)) {
				t.Errorf("%s: digest of %s: %v", what, name, err)
			}
		}
	}
	l, refused, err := s.TryLockTask(LockRequest{Task: "p:t", Conflicts: []string{"p:u"}})
	if refused != nil || err != nil {
		t.Fatalf("%s: lock: %+v, %v", what, refused, err)
	}
	l.SetProcess(7)
	s.Products("p:t")
	s.WriteProducts(faultProductss[1])
	s.ListedBy("/b", []string{"p:t"})
	s.LastKey("p:t")
	s.WriteLastKey("p:t", lastKey("p:t", "second"))
	if secret, ok := s.Secret(true); ok && len(secret) != secretSize {
		t.Errorf("%s: a secret of %d bytes", what, len(secret))
	}
	s.SweepTasks(map[string]bool{"p:t": true})
	s.Flush()
	l.Unlock()
}

// inspect looks at what is there afterwards: old or new, whole or none; and a run after that is a run like any other.
func inspect(t *testing.T, what string, f fsys.FS) {
	t.Helper()
	s := Open(f, digest.BLAKE3)
	if l := s.Products("p:t"); !reflect.DeepEqual(l, faultProductss[0]) && !reflect.DeepEqual(l, faultProductss[1]) && l.Task != "" {
		t.Errorf("%s: product list %+v", what, l)
	}
	if key := keptKey(s, "p:t"); key != "" && key != "first" && key != "second" {
		t.Errorf("%s: record of %q", what, key)
	}
	use(t, what+", then", s)
	if l := s.Products("p:t"); !reflect.DeepEqual(l, faultProductss[1]) {
		t.Errorf("%s: the next run has not written its product list: %+v, %q", what, l, s.Trouble())
	}
	if len(s.Trouble()) > 0 {
		t.Errorf("%s: trouble in the next run: %q", what, s.Trouble())
	}
}

// Every operation under .haz fails once, and from there on, with each error; every read and write is cut short (S-01).
func TestEveryOperationFails(t *testing.T) {
	under := faultfs.Under(layout.Dir)
	counts := faultfs.Counts{}
	rules := map[string]faultfs.Rule{"short": {Match: under, Do: faultfs.Short}}
	for _, errno := range []syscall.Errno{syscall.EIO, syscall.ENOSPC, syscall.EACCES, syscall.EROFS, syscall.EMFILE, syscall.ENOENT} {
		rules[fmt.Sprintf("%v once", errno)] = faultfs.Rule{Match: under, Errs: []error{errno}}
		rules[fmt.Sprintf("%v from there on", errno)] = faultfs.Rule{Match: under, Errs: []error{errno}, Sticky: true}
	}
	for name, rule := range rules {
		for k := 0; ; k++ {
			mem := faultWorld(t)
			rule.At = k
			f := faultfs.New(mem, uint64(k), rule)
			what := fmt.Sprintf("%s at %d", name, k)
			use(t, what, Open(f, digest.BLAKE3))
			if f.Injected().Total() == 0 {
				break
			}
			counts.Add(f.Injected())
			inspect(t, what, mem)
		}
	}
	if counts.Total() < 200 {
		t.Errorf("only %d faults were injected", counts.Total())
	}
	t.Logf("%d faults", counts.Total())
}

// The power is cut at every operation that changes something; of what was not synced a part survives.
func TestEveryOperationIsAPowerCut(t *testing.T) {
	cuts := 0
	for seed := range uint64(4) {
		for k := 0; ; k++ {
			f := faultfs.New(faultWorld(t), seed, faultfs.Rule{At: k, Do: faultfs.Cut, Match: faultfs.All(faultfs.Call.Writes, faultfs.Under(layout.Dir))})
			crashing(Open(f, digest.BLAKE3))
			if f.Injected().Total() == 0 {
				break
			}
			cuts++
			inspect(t, fmt.Sprintf("power cut at %d, seed %d", k, seed), f.Survivor())
		}
	}
	if cuts < 50 {
		t.Errorf("only %d power cuts", cuts)
	}
	t.Logf("%d power cuts", cuts)
}

// crashing does what use does until the lights go out; what it gets to see does not matter any more.
func crashing(s *State) {
	for name := range faultContents {
		_, _, _ = s.DigestFile(context.Background(), name, fsys.Info{})
	}
	l, refused, _ := s.TryLockTask(LockRequest{Task: "p:t", Conflicts: []string{"p:u"}})
	if refused == nil {
		l.SetProcess(7)
	}
	s.WriteProducts(faultProductss[1])
	s.WriteLastKey("p:t", lastKey("p:t", "second"))
	s.Secret(true)
	s.Flush()
}
