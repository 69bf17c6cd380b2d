package main

import (
	"os"
	"os/signal"
	"slices"
	"sync"
	"syscall"
	"time"

	"github.com/haz-build/haz"

	"github.com/haz-build/haz/cmd/haz/streams"
)

// heeded is the signals that were not ignored when haz was started (nohup). It is asked once: to start a process that does not
// inherit what haz ignores, haz has to stop ignoring it.
var heeded = sync.OnceValue(func() []os.Signal {
	return slices.DeleteFunc([]os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP, syscall.SIGQUIT}, signal.Ignored)
})

var signalNames = map[os.Signal]string{syscall.SIGINT: "SIGINT", syscall.SIGTERM: "SIGTERM", syscall.SIGHUP: "SIGHUP", syscall.SIGQUIT: "SIGQUIT"}

// oneWish is within what time equal signals count as one: a terminal and a wrapper that passes signals on send one each, and
// people press keys twice. Whoever wants more has read what haz says to the first.
const oneWish = 500 * time.Millisecond

// margin is how long after its grace a run that was cancelled may go on, at most: something in haz is stuck then, for example a
// system call on a disk that does not answer.
const margin = 3 * time.Second

// signalWatch receives the signals that end a run.
type signalWatch struct {
	interrupts chan haz.Interrupt
	raw        chan os.Signal
	also       <-chan os.Signal
	patience   *streams.Patience // with readers of our output; nil: not ours to end
	grace      time.Duration
	now        func() time.Time
	closed     chan struct{}

	mu    sync.Mutex
	ended bool
	first int                 // number of the first signal that counted; 0 before
	goOn  map[haz.TaskID]bool // finalizers, and what they need, that a cancelled run waits for
}

// watchSignals delivers what cancels a run that has that grace: signals, and what is as good as one (also; nil: nothing). close must follow.
func watchSignals(p *streams.Patience, grace time.Duration, also <-chan os.Signal) *signalWatch {
	s := newSignalWatch(p, grace)
	s.also = also
	if names := heeded(); len(names) > 0 { // none would mean all
		signal.Notify(s.raw, names...)
		quitting.heed()
	}
	go s.follow()
	return s
}

func newSignalWatch(p *streams.Patience, grace time.Duration) *signalWatch {
	return &signalWatch{interrupts: make(chan haz.Interrupt, 8), raw: make(chan os.Signal, 8), patience: p, grace: grace,
		now: time.Now, closed: make(chan struct{})}
}

// follow hands signals on. The third one ends haz soon, also when the run does not: it has had time for one last kill.
func (s *signalWatch) follow() {
	count, last, at := 0, os.Signal(nil), time.Time{}
	for {
		var sig os.Signal
		select {
		case <-s.closed:
			return
		case sig = <-s.raw:
		case sig = <-s.also:
		}
		now := s.now()
		if sig == last && now.Sub(at) < oneWish {
			continue
		}
		last, at = sig, now
		count++
		s.act(count, sig)
	}
}

func (s *signalWatch) act(count int, sig os.Signal) {
	number := int(sig.(syscall.Signal))
	s.mu.Lock()
	if count == 1 {
		s.first = number
	}
	ended, first := s.ended, s.first
	s.mu.Unlock()
	if s.patience != nil {
		grace := s.grace
		if ended {
			grace = 0
		}
		s.patience.End(grace)
		if count == 1 && !ended {
			s.giveUpAfter(grace+margin, first, true)
		}
	}
	if !ended {
		select {
		case s.interrupts <- haz.Interrupt{Name: signalNames[sig], Number: number}:
		default: // nobody can want more than eight
		}
	}
	if count == 3 {
		s.giveUpAfter(time.Second, first, false)
	}
}

// watchStep is how often a watchdog counts the time. What passes while haz stands still is one step for it.
const watchStep = 100 * time.Millisecond

// observe follows a run: while finalizers go on that was cancelled, it takes the time that they take (EXEC-050), until a further signal.
func (s *signalWatch) observe(e haz.Event) {
	s.mu.Lock()
	defer s.mu.Unlock()
	switch e := e.(type) {
	case haz.RunCancelling:
		s.goOn = make(map[haz.TaskID]bool, len(e.GoOn))
		for _, id := range e.GoOn {
			s.goOn[id] = true
		}
	case haz.TaskFinished:
		delete(s.goOn, e.Outcome.Task)
	}
}

// finalizing reports whether a run that was cancelled waits for finalizers.
func (s *signalWatch) finalizing() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.goOn) > 0
}

// giveUpAfter ends haz when it has gone on for that long, not counting the time of finalizers where they are waited for.
func (s *signalWatch) giveUpAfter(left time.Duration, first int, wait bool) {
	go func() {
		for left > 0 {
			begun := time.Now()
			select {
			case <-s.closed:
				return
			case <-time.After(min(left, watchStep)):
			}
			if wait && s.finalizing() {
				s.patience.Extend(s.grace)
				continue
			}
			left -= min(time.Since(begun), 2*watchStep)
		}
		s.giveUp(first)
	}()
}

// giveUp ends haz when the run or its printing has not ended. Its tasks were killed before; the helper does it again.
func (s *signalWatch) giveUp(first int) {
	select {
	case <-s.closed:
	default:
		streams.Cook()
		os.Exit(128 + first)
	}
}

// end says that the run is over and what is left is printing: signals have nothing left to stop, but nobody waits for a reader
// that stands still after one.
func (s *signalWatch) end() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = true
}

// cut is the exit code of a run whose output was not printed to its end because a signal came; 0 when that is not so.
func (s *signalWatch) cut() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.first == 0 || s.patience == nil || !s.patience.HasDropped() {
		return 0
	}
	return 128 + s.first
}

// close ends the watching. The signals are not given back (signal.Stop): one that comes between the end of the run and our exit
// must not make the exit code that of a death.
func (s *signalWatch) close() { close(s.closed) }

// quitting is what SIGQUIT does (Ctrl-\): by default a Go program prints the stacks of all its goroutines, which nobody who
// presses that key wants to see.
var quitting quitter

type quitter struct {
	mu  sync.Mutex
	run bool // whatever is under way heeds it
}

// arm makes SIGQUIT end the program at once.
func (q *quitter) arm() {
	if !slices.Contains(heeded(), os.Signal(syscall.SIGQUIT)) {
		return
	}
	quit := make(chan os.Signal, 1)
	signal.Notify(quit, syscall.SIGQUIT)
	go func() {
		for range quit {
			q.mu.Lock()
			heeded := q.run
			q.mu.Unlock()
			if !heeded {
				os.Exit(128 + int(syscall.SIGQUIT))
			}
		}
	}()
}

// heed leaves it to a signalWatch, for good.
func (q *quitter) heed() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.run = true
}
