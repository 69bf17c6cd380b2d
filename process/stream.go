//go:build unix

package process

import (
	"errors"
	"fmt"
	"io"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"
)

// chunk is the most that one Sink.Write gets: what a pipe holds by default, so one read empties it.
const chunk = 64 << 10

var chunks = sync.Pool{New: func() any { return new([chunk]byte) }}

// stream is our end of one output of a process.
type stream struct {
	kind  Stream
	fd    int
	file  *os.File // over fd, made by open; nil before
	blind bool     // the runtime's poller has not taken it
	isCut atomic.Bool
	// terminal: it is ours of a pseudo terminal. Where a pipe ends, that one hangs up.
	terminal bool

	// Written by pump or drain, read after they have ended.
	atEOF   bool
	trouble string // why bytes were lost, other than by cut
}

// newStream makes a pipe; writer is the end for the child. Both ends are closed on exec, ours does not block (the flag
// belongs to one end only: the child must see a blocking one).
func newStream(kind Stream) (s *stream, writer int, err error) {
	r, w, err := pipe()
	if err != nil {
		return nil, -1, err
	}
	if _, err := unix.FcntlInt(uintptr(r), unix.F_SETFL, unix.O_NONBLOCK); err != nil {
		unix.Close(r)
		unix.Close(w)
		return nil, -1, err
	}
	return &stream{kind: kind, fd: r}, w, nil
}

// ends are what a process writes to, and ours of it.
type ends struct {
	ours   [2]*stream
	theirs [2]int // one twice, where it is a terminal
}

func openEnds(c Command) (e ends, err error) {
	if c.TTY || c.Terminal != nil {
		return openTerminalEnds(c)
	}
	if e.ours[0], e.theirs[0], err = newStream(Stdout); err != nil {
		return e, err
	}
	if e.ours[1], e.theirs[1], err = newStream(Stderr); err != nil {
		e.ours[0].close()
		unix.Close(e.theirs[0])
	}
	return e, err
}

// openTerminalEnds has a second stream that ends at once.
func openTerminalEnds(c Command) (e ends, err error) {
	t, theirs, err := openPseudoTerminal(c.Columns, c.Terminal == nil)
	if err != nil {
		return e, err
	}
	none, w, err := newStream(Stderr)
	if err != nil {
		t.close()
		unix.Close(theirs)
		return e, err
	}
	unix.Close(w)
	return ends{ours: [2]*stream{t, none}, theirs: [2]int{theirs, theirs}}, nil
}

// pipe tells the helper by what it can know a process whose number it was not told yet: no terminal, of which others have the number.
func (e ends) pipe() uint64 {
	if e.ours[0].terminal {
		return 0
	}
	return inodeOf(e.theirs[0])
}

func (e ends) closeTheirs() {
	unix.Close(e.theirs[0])
	if e.theirs[1] != e.theirs[0] {
		unix.Close(e.theirs[1])
	}
}

func (e ends) closeOurs() {
	for _, s := range e.ours {
		s.close()
	}
}

func (e ends) close() {
	e.closeTheirs()
	e.closeOurs()
}

// open puts the stream into the runtime's poller, so that pump waits without a thread. The kernel may refuse to watch one more
// descriptor (a limit a user, little memory).
func (s *stream) open() {
	s.file = os.NewFile(uintptr(s.fd), "pipe")
	s.blind = !usePoller || s.file.SetReadDeadline(time.Time{}) != nil
}

// usePoller is false in tests of what a full poller does.
var usePoller = true

// read is one read that waits. The error is os.ErrDeadlineExceeded after cut.
func (s *stream) read(buf []byte) (int, error) {
	if !s.blind {
		return s.file.Read(buf)
	}
	for {
		if s.isCut.Load() {
			return 0, os.ErrDeadlineExceeded
		}
		n, err := unix.Read(s.fd, buf)
		switch {
		case n > 0:
			return n, nil
		case err == nil:
			return 0, io.EOF
		case err == unix.EAGAIN:
			_, _ = unix.Poll([]unix.PollFd{{Fd: int32(s.fd), Events: unix.POLLIN}}, blindWait)
		case err != unix.EINTR:
			return 0, err
		}
	}
}

// blindWait is how many milliseconds a read without poller waits before it looks whether it was cut.
const blindWait = 20

// pump carries bytes to the sink until the pipe is at its end or cut. A slow sink holds the process back, as the pipe fills.
func (s *stream) pump(out Sink) {
	buf := chunks.Get().(*[chunk]byte)
	defer chunks.Put(buf)
	for {
		n, err := s.read(buf[:])
		if n > 0 {
			s.deliver(out, buf[:n])
		}
		switch {
		case err == nil:
		case err == io.EOF, s.terminal && isHangup(err):
			s.atEOF = true
			return
		case errors.Is(err, os.ErrDeadlineExceeded):
			return
		default:
			s.lose("output could not be read: " + errText(err))
			return
		}
	}
}

// drain carries what is in the pipe to the sink, without waiting. It returns false when more may come.
func (s *stream) drain(out Sink) bool {
	if s.atEOF {
		return true
	}
	buf := chunks.Get().(*[chunk]byte)
	defer chunks.Put(buf)
	for {
		n, err := unix.Read(s.fd, buf[:])
		switch {
		case n > 0:
			s.deliver(out, buf[:n])
		case err == nil, s.terminal && isHangup(err):
			s.atEOF = true
			return true
		case err != unix.EINTR:
			return false
		}
	}
}

// deliver drops the bytes when the sink has panicked: a defect elsewhere must not end a host's process, nor hang a task.
func (s *stream) deliver(out Sink, b []byte) {
	if out == nil || s.trouble != "" {
		return
	}
	defer func() {
		if r := recover(); r != nil {
			s.lose(fmt.Sprintf("output could not be taken: panic: %v", r))
		}
	}()
	out.Write(s.kind, b)
}

func (s *stream) lose(why string) {
	if s.trouble == "" {
		s.trouble = why
	}
}

// cut ends pump after the write that it is in, even when more bytes are there. The file stays open until close.
func (s *stream) cut() {
	s.isCut.Store(true)
	_ = s.file.SetReadDeadline(time.Unix(1, 0))
}

// released reports that no process can write to the stream any more; bytes may still wait to be read.
func (s *stream) released() bool {
	fds := []unix.PollFd{{Fd: int32(s.fd)}}
	for {
		_, err := unix.Poll(fds, 0)
		if err == nil {
			return fds[0].Revents&(unix.POLLHUP|unix.POLLERR) != 0
		}
		if err != unix.EINTR {
			return false
		}
	}
}

func (s *stream) close() {
	if s.file != nil {
		s.file.Close()
	} else {
		unix.Close(s.fd)
	}
}
