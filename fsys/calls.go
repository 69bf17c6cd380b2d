package fsys

import (
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// WatchCalls tells of calls into file systems of the machine (Host) that do not come back: a server does not answer, a disk hangs.
// That cannot be broken off, but people can be told whom everything waits for. Once for each call, as soon as it has been under way
// for so long, by looks a second apart, tell gets a path on the host, for how long, and how many other paths there are. It is called
// by one goroutine, which stop ends without waiting for it. One watch is kept at a time: a second one beside it tells nothing.
func WatchCalls(patience time.Duration, tell func(path string, since time.Duration, others int)) (stop func()) {
	if !calls.watched.CompareAndSwap(false, true) {
		return func() {}
	}
	end := make(chan struct{})
	go func() {
		defer calls.watched.Store(false)
		every := time.NewTicker(lookEvery)
		defer every.Stop()
		w := watch{looks: max(1, int(patience/lookEvery))}
		for {
			select {
			case <-end:
				return
			case <-every.C:
			}
			if paths := w.look(&calls); len(paths) > 0 {
				tell(paths[0], time.Duration(w.looks)*lookEvery, len(paths)-1)
			}
		}
	}()
	return sync.OnceFunc(func() { close(end) })
}

// lookEvery is how often calls are looked at.
const lookEvery = time.Second

// calls are those that are under way, of all the machine.
var calls callBoard

// places is how many calls may be seen at once.
const places = 256

// callBoard is where a call says what it is about, for a few nanoseconds: no clock is asked and nothing is allocated. When many are
// under way at once, some are not seen.
type callBoard struct {
	watched atomic.Bool
	calls   [places]call
}

// call is a place on the board.
type call struct {
	busy atomic.Bool
	turn atomic.Uint64 // how many were here before

	mu        sync.Mutex
	dir, name string

	_ [64]byte // each on a cache line of its own
}

// enter says that a call is about to be made, to the file with that name below the directory dir of the host. The result, which may be
// nil, is for leave.
func (b *callBoard) enter(dir, name string) *call {
	if !b.watched.Load() {
		return nil
	}
	const tries = 8
	for at := rand.Uint32(); ; at++ {
		c := &b.calls[at%places]
		if c.busy.CompareAndSwap(false, true) {
			c.mu.Lock()
			c.dir, c.name = dir, name
			c.mu.Unlock()
			return c
		}
		if at%tries == tries-1 {
			return nil
		}
	}
}

func (c *call) leave() {
	if c != nil {
		c.turn.Add(1)
		c.busy.Store(false)
	}
}

// watch is what was seen in earlier looks.
type watch struct {
	looks int // after which a call is told of
	seen  [places]struct {
		turn  uint64
		looks int // looks in which it was there
	}
}

// look returns the paths of the calls that have been under way for so many looks, by now for the first time.
func (w *watch) look(b *callBoard) (paths []string) {
	for i := range b.calls {
		c, s := &b.calls[i], &w.seen[i]
		turn := c.turn.Load()
		switch {
		case !c.busy.Load():
			s.looks = 0
		case turn != s.turn:
			s.turn, s.looks = turn, 1
		default:
			s.looks++
		}
		if s.looks == w.looks+1 {
			c.mu.Lock()
			path := join(c.dir, Clean(c.name))
			c.mu.Unlock()
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return slices.Compact(paths) // one may be made within another
}
