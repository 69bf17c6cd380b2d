package attach

import (
	"cmp"
	"net"
	"sync"
	"time"

	"github.com/haz-build/haz/fsys"
)

// Server is the ear of a run.
type Server struct {
	hello Hello
	log   *Log
	act   func(Request) Answer

	listener net.Listener
	gone     func() // takes the socket away
	visitors sync.WaitGroup
	closing  chan struct{}

	mu   sync.Mutex
	open map[net.Conn]bool
}

// Listen makes a socket in a folder, in which there may be those of other runs; those of dead ones are removed. act carries out what a visitor asks for beside looking;
// it may take its time, and is called by several at once. Where there can be no socket, the error says why.
func Listen(dir fsys.FS, h Hello, log *Log, act func(Request) Answer) (*Server, error) {
	sweep(dir)
	listener, gone, err := bind(dir, h.PID)
	if err != nil {
		return nil, err
	}
	h.Protocol = cmp.Or(h.Protocol, Protocol)
	s := &Server{hello: h, log: log, act: act, listener: listener, gone: gone, closing: make(chan struct{}), open: map[net.Conn]bool{}}
	go s.accept()
	return s, nil
}

func (s *Server) accept() {
	for {
		c, err := s.listener.Accept()
		if err != nil {
			return
		}
		if !s.admit(c) {
			_ = c.Close()
			continue
		}
		go func() {
			defer s.leave(c)
			s.serve(c)
		}()
	}
}

// admit lets a visitor in, if it is the owner's and there is room.
func (s *Server) admit(c net.Conn) bool {
	if !samePeer(c) {
		return false
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.closing:
		return false
	default:
	}
	if len(s.open) >= maxVisitors {
		return false
	}
	s.open[c] = true
	s.visitors.Add(1)
	return true
}

func (s *Server) leave(c net.Conn) {
	_ = c.Close()
	s.mu.Lock()
	delete(s.open, c)
	s.mu.Unlock()
	s.visitors.Done()
}

// serve is one conversation.
func (s *Server) serve(c net.Conn) {
	_ = c.SetDeadline(time.Now().Add(patience))
	if write(c, s.hello) != nil {
		return
	}
	var r Request
	in := newReader(c, maxRequest)
	if err := in.read(&r); err != nil {
		_ = write(c, Answer{Refused: "the request cannot be read: " + err.Error()})
		return
	}
	_ = c.SetDeadline(time.Time{})
	switch r.Do {
	case Look, Follow:
		state := s.log.State()
		if write(c, Answer{State: &state}) == nil && r.Do == Follow {
			s.tell(c, in)
		}
	case Cancel, Restart, Rerun, Jobs:
		_ = write(c, s.act(r))
	default:
		_ = write(c, Answer{Refused: "this haz does not know the request " + r.Do, Hint: "its version is " + s.hello.Haz})
	}
}

// tell follows the log to its end, or to that of the visitor.
func (s *Server) tell(c net.Conn, in *reader) {
	left := make(chan struct{})
	go func() {
		defer close(left)
		_, _ = in.line() // nothing more is expected of it
	}()
	for at := 0; ; {
		events, next, stirred := s.log.next(at)
		at = next
		for _, e := range events {
			text, err := encode(e)
			if err != nil || text == nil {
				continue
			}
			if _, err := c.Write(text); err != nil {
				return
			}
			if _, last := e.(Ended); last {
				return
			}
		}
		if len(events) > 0 {
			continue
		}
		select {
		case <-stirred:
		case <-left:
			return
		}
	}
}

// Close takes the socket away and lets visitors hear the end, for a second at most. The log has ended.
func (s *Server) Close() {
	s.gone()
	_ = s.listener.Close()
	s.mu.Lock()
	close(s.closing)
	nobody := len(s.open) == 0
	s.mu.Unlock()
	if nobody {
		return
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		s.visitors.Wait()
	}()
	late := time.NewTimer(farewell)
	defer late.Stop()
	select {
	case <-done:
	case <-late.C:
		s.mu.Lock()
		defer s.mu.Unlock()
		for c := range s.open {
			_ = c.Close()
		}
	}
}
