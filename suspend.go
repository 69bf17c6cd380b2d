package haz

import (
	"errors"
	"sync"

	"github.com/haz-build/haz/actors"
)

// suspensions calls what a host hands over in RunOptions.Suspend, one function after the other, while the run stands still.
type suspensions struct {
	stop, done chan struct{}

	mu    sync.Mutex
	run   *actors.Handle // nil before the run has processes
	still bool           // a function is being called
	goOn  func()         // of the handle; nil while it is not suspended
	crash error
}

func newSuspensions(wishes <-chan func()) *suspensions {
	s := &suspensions{stop: make(chan struct{}), done: make(chan struct{})}
	if wishes == nil {
		close(s.done)
		return s
	}
	go s.listen(wishes)
	return s
}

func (s *suspensions) listen(wishes <-chan func()) {
	defer close(s.done)
	for {
		select {
		case <-s.stop:
			return
		case f, open := <-wishes:
			if !open {
				return
			}
			s.around(f)
		}
	}
}

// around calls f while the run stands still.
func (s *suspensions) around(f func()) {
	s.mu.Lock()
	s.still = true
	s.suspend()
	s.mu.Unlock()
	err := errors.New("what suspends the run ended its goroutine") // runtime.Goexit
	defer func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.crash = errors.Join(s.crash, err)
		s.still = false
		if s.goOn != nil {
			s.goOn()
			s.goOn = nil
		}
	}()
	err = caught("what suspends the run", f)
}

// attach makes the processes of a run known. They stand still at once if a function is being called.
func (s *suspensions) attach(h *actors.Handle) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.run = h
	if s.still {
		s.suspend()
	}
}

// suspend suspends what there is. The caller holds mu.
func (s *suspensions) suspend() {
	if s.run != nil {
		s.goOn = s.run.Suspend()
	}
}

// end returns when no function is being called any more, and what panicked in one.
func (s *suspensions) end() error {
	close(s.stop)
	<-s.done
	return s.crash
}
