package main

import (
	"os"
	"os/signal"
	"sync"
	"syscall"

	"github.com/haz-build/haz/cmd/haz/streams"
)

// suspending is what Ctrl-Z does (SIGTSTP): tasks are in sessions of their own, where no terminal stops them.
var suspending suspender

// suspender stops haz together with its tasks, in exactly the cases in which the system would have stopped it.
type suspender struct {
	once sync.Once
	mu   sync.Mutex
	run  *suspendedRun // the one under way; nil between runs
}

// suspendedRun is what a suspender has to know of a run.
type suspendedRun struct {
	wishes   chan func()   // for haz.RunOptions.Suspend
	over     chan struct{} // closed when nobody receives these any more
	printer  presenter
	patience *streams.Patience
}

// arm begins to heed the signal.
func (s *suspender) arm() {
	s.once.Do(func() {
		stops := make(chan os.Signal, 1)
		if !ignoredHere(syscall.SIGTSTP) {
			signal.Notify(stops, syscall.SIGTSTP)
		}
		go s.follow(stops)
	})
}

// enter makes a run known. leave ends that.
func (s *suspender) enter(p presenter, patience *streams.Patience) *suspendedRun {
	s.arm()
	r := &suspendedRun{wishes: make(chan func()), over: make(chan struct{}), printer: p, patience: patience}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.run = r
	return r
}

func (s *suspender) leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.run = nil
}

// printing is where the run under way shows what it has to say; nil between runs.
func (s *suspender) printing() presenter {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.run == nil {
		return nil
	}
	return s.run.printer
}

func (s *suspender) follow(stops <-chan os.Signal) {
	for sig := range stops {
		s.mu.Lock()
		r := s.run
		s.mu.Unlock()
		r.stop(func() { stopBy(sig.(syscall.Signal)) })
		select {
		case <-stops: // a key hit twice
		default:
		}
	}
}

// stop calls f, which stops this program, while its run stands still and nothing of it is drawn.
func (r *suspendedRun) stop(f func()) {
	if r == nil {
		defer streams.Cook()()
		f()
		return
	}
	all := func() {
		show := r.printer.Hide()
		defer show()
		defer r.patience.Stand()()
		defer streams.Cook()()
		f()
	}
	done := make(chan struct{})
	select {
	case r.wishes <- func() { defer close(done); all() }:
		<-done
	case <-r.over:
		all()
	}
}
