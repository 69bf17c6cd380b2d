//go:build unix

package process

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// System starts real processes.
//
// With the first Start the process that calls it becomes child subreaper (Linux), so that descendants of tasks which lose
// their parent can be found, and a tiny helper is started that ends the groups when this process itself dies (S-30). Close
// undoes both. The zero Limits are DefaultLimits.
//
// A host that embeds haz keeps its own children: haz neither signals, lists nor waits for a process in the host's session.
// Orphans of these come to the host too while it is subreaper, and it is the host's to reap them. Only processes that the
// host, while tasks run, moves to sessions of their own (Setsid) cannot be told from escaped descendants of a task: they may
// be taken for such when a run is cancelled, and are reaped when they have been dead for 5 s.
//
// Lesser on other Unix systems: no subreaper, so descendants that leave the group are neither listed nor swept; who holds a
// pipe is not known, so everybody in the group counts as holder until both pipes are closed.
func System(l Limits, options ...Option) Spawner {
	if l == (Limits{}) {
		l = DefaultLimits
	}
	s := &system{limits: l, null: -1, live: map[*proc]struct{}{}}
	for _, o := range options {
		s.sole = s.sole || o == SoleParent
	}
	return s
}

type system struct {
	limits Limits
	helper helper
	masks  masks

	mu     sync.Mutex
	opened bool
	closed bool
	idle   bool // to be closed when the last process has ended
	null   int  // open for reading: stdin of every process
	live   map[*proc]struct{}
	starts int // under way: there may be a process already that is not in live yet
	kills  int // calls of KillAll
	sole   bool
}

// busyTries is how often a program that is open for writing is tried again.
const busyTries = 10

// Start implements Spawner.
func (s *system) Start(c Command, out Sink) (Process, error) {
	path, notFound := lookup(c)
	if notFound != nil {
		return nil, notFound
	}
	refuse := func(err error) (Process, error) { return nil, explain(c, path, err) }
	kills, err := s.open()
	if err != nil {
		return refuse(err)
	}
	defer s.endStart()
	unignore()
	ends, err := openEnds(c)
	if err != nil {
		return refuse(err)
	}
	p := &proc{
		sys: s, out: out, pidfd: -1, streams: ends.ours,
		drained: make(chan struct{}), hurry: make(chan struct{}), giveUp: make(chan struct{}), done: make(chan struct{}),
	}
	attr := &syscall.ProcAttr{
		Dir:   cmp.Or(c.Stand, c.Dir),
		Env:   c.Env,
		Files: []uintptr{uintptr(s.null), uintptr(ends.theirs[0]), uintptr(ends.theirs[1])},
		Sys:   newSession(&p.pidfd),
	}
	if c.Terminal != nil {
		if err := p.borrow(c.Terminal, attr); err != nil {
			ends.close()
			return refuse(err)
		}
	}
	s.helper.await()
	p.slot = s.helper.expect(ends.pipe())
	for try := 0; ; try++ {
		err = children.fork(p, func() (pid int, err error) { return s.fork(c, path, attr) })
		if err != syscall.ETXTBSY || try == busyTries {
			break
		}
		// Between fork and exec, a child that another goroutine starts still has our files, also the one that was just
		// written and is to be executed now. Who else has it open is not ours to know.
		awaitForks()
		if try > 0 {
			time.Sleep(time.Millisecond << min(try, 5))
		}
	}
	ends.closeTheirs()
	if err != nil {
		s.helper.remove(p.slot)
		p.giveBack()
		ends.closeOurs()
		return refuse(err)
	}
	byNumber.Store(p.pid, p)
	s.helper.enter(p.slot, p.pid)
	p.watch()
	if p.loan != nil {
		p.startPumps()
		go p.loan.carryInput()
	}
	s.mu.Lock()
	s.live[p] = struct{}{}
	late := s.kills != kills
	s.mu.Unlock()
	if late { // KillAll came between the fork and here
		p.Kill()
	}
	go p.supervise()
	return p, nil
}

// inodeOf is the number of an open file, 0 when there is none.
func inodeOf(fd int) uint64 {
	var st unix.Stat_t
	if unix.Fstat(fd, &st) != nil {
		return 0
	}
	return st.Ino
}

// awaitForks returns when all children that are between fork and exec now have passed that.
func awaitForks() {
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
}

var errClosed = errors.New("the spawner is closed")

// open prepares what all processes share, and begins a start, which endStart ends. It returns how often KillAll was called before.
func (s *system) open() (kills int, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.idle {
		return 0, errClosed
	}
	if s.opened {
		s.starts++
		return s.kills, nil
	}
	fd, err := unix.Open(os.DevNull, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", os.DevNull, err)
	}
	s.null, s.opened = fd, true
	children.join()
	if s.sole {
		children.own(1)
	}
	s.helper.start()
	s.starts++
	return s.kills, nil
}

func (s *system) endStart() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.starts--
	s.closeIfIdle()
}

// closeIfIdle closes what was asked to close. The caller holds mu.
func (s *system) closeIfIdle() {
	if s.idle && s.busy() == 0 {
		s.closeLocked()
	}
}

// busy is how many processes there are, or may be in a moment. The caller holds mu.
func (s *system) busy() int { return len(s.live) + s.starts }

func (s *system) forget(p *proc) {
	children.remove(p)
	byNumber.CompareAndDelete(p.pid, p)
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.live, p)
	s.closeIfIdle()
}

// KillAll implements Spawner.
func (s *system) KillAll() {
	s.mu.Lock()
	s.kills++
	ps := make([]*proc, 0, len(s.live))
	for p := range s.live {
		ps = append(ps, p)
	}
	s.mu.Unlock()
	killProcs(ps)
}

// killPIDs is for KillEach.
func (s *system) killPIDs(pids []int) {
	s.mu.Lock()
	var ps []*proc
	for p := range s.live {
		if slices.Contains(pids, p.pid) {
			ps = append(ps, p)
		}
	}
	s.mu.Unlock()
	killProcs(ps)
}

func killProcs(ps []*proc) {
	if len(ps) == 0 {
		return
	}
	// Descendants hang on their parents until those die, so look before the kill.
	tree := descendants(ps)
	for _, p := range ps {
		p.Kill()
	}
	killEach(tree)
	for _, p := range ps {
		p.killStrays()
	}
}

// Close implements Spawner.
func (s *system) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := s.busy(); n > 0 {
		return fmt.Errorf("close while processes run: %d", n)
	}
	s.closeLocked()
	return nil
}

// closeWhenIdle is for CloseWhenIdle.
func (s *system) closeWhenIdle() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.idle = true
	s.closeIfIdle()
}

func (s *system) closeLocked() {
	if s.opened && !s.closed {
		s.helper.stop()
		s.masks.close()
		children.leave()
		if s.sole {
			children.own(-1)
		}
		unix.Close(s.null)
	}
	s.closed = true
}

// Trouble implements what the function Trouble looks for.
func (s *system) Trouble() []string { return s.helper.troubles() }
