package streams

import (
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"
	"golang.org/x/term"

	"github.com/haz-build/haz/process"
)

// Terminal is the one that somebody sits at: it implements process.Terminal.
type Terminal struct {
	In, Out *os.File
	// Quiet keeps everybody else from writing to it, until over is called.
	Quiet func() (over func())
}

// Lend hands the terminal over in raw mode.
func (t *Terminal) Lend(resize func(columns, rows int)) (process.Lent, error) {
	l := &lent{t: t, resize: resize, sizes: make(chan os.Signal, 1), back: make(chan struct{})}
	l.over = t.Quiet()
	l.measure()
	if err := l.raw(); err != nil {
		l.over()
		return nil, fmt.Errorf("raw mode of the terminal: %w", err)
	}
	signal.Notify(l.sizes, syscall.SIGWINCH)
	l.done.Add(1)
	go l.follow()
	onLoan.set(l)
	return l, nil
}

// lent is the terminal while a process has it.
type lent struct {
	t      *Terminal
	resize func(columns, rows int)
	over   func()
	sizes  chan os.Signal
	back   chan struct{}
	done   sync.WaitGroup

	reading sync.Mutex // held while a key is taken: none is after the end
	ended   bool

	mu     sync.Mutex
	cooked *term.State // as it was before; nil while it is so
}

func (l *lent) raw() (err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cooked == nil {
		l.cooked, err = term.MakeRaw(int(l.t.In.Fd()))
	}
	return err
}

func (l *lent) restore() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.cooked != nil {
		_ = term.Restore(int(l.t.In.Fd()), l.cooked)
		l.cooked = nil
	}
}

func (l *lent) measure() {
	if columns, rows, err := term.GetSize(int(l.t.Out.Fd())); err == nil {
		l.resize(columns, rows)
	}
}

func (l *lent) follow() {
	defer l.done.Done()
	for {
		select {
		case <-l.sizes:
			l.measure()
		case <-l.back:
			return
		}
	}
}

// Read waits for a key, or for the end of the loan: it looks at each glance whether that has come.
func (l *lent) Read(b []byte) (int, error) {
	for {
		fds := []unix.PollFd{{Fd: int32(l.t.In.Fd()), Events: unix.POLLIN}}
		n, err := unix.Poll(fds, int(glance.Milliseconds()))
		if err != nil && err != unix.EINTR {
			return 0, err
		}
		if n, err := l.take(b, n > 0); n > 0 || err != nil {
			return n, err
		}
	}
}

// take takes what was typed, if there is anything.
func (l *lent) take(b []byte, ready bool) (int, error) {
	l.reading.Lock()
	defer l.reading.Unlock()
	switch {
	case l.ended:
		return 0, io.EOF
	case !ready:
		return 0, nil
	}
	n, err := unix.Read(int(l.t.In.Fd()), b)
	switch {
	case err == unix.EINTR, err == unix.EAGAIN:
		return 0, nil
	case err != nil:
		return 0, err
	case n == 0:
		return 0, io.EOF
	}
	return n, nil
}

func (l *lent) Write(b []byte) (int, error) { return l.t.Out.Write(b) }

func (l *lent) Return() {
	onLoan.set(nil)
	l.reading.Lock()
	l.ended = true
	l.reading.Unlock()
	signal.Stop(l.sizes)
	close(l.back)
	l.done.Wait()
	l.restore()
	l.over()
}

// onLoan is the terminal that a process has.
var onLoan loans

type loans struct {
	mu     sync.Mutex
	now    *lent
	screen func() (back func()) // takes away what fills the screen; nil: nothing does
}

// FillScreen says that something fills the screen, and how it is taken away for a while; nil: nothing does any more.
func FillScreen(lend func() (back func())) {
	onLoan.mu.Lock()
	defer onLoan.mu.Unlock()
	onLoan.screen = lend
}

func (s *loans) set(l *lent) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = l
}

// Cook puts a terminal that is on loan, or of which keys are read, back into the mode that it had before, for who uses it while haz is stopped,
// or has ended. raw undoes that.
func Cook() (raw func()) {
	back := LendKeys()
	onLoan.mu.Lock()
	l, screen := onLoan.now, onLoan.screen
	onLoan.mu.Unlock()
	if screen != nil {
		keys, shown := back, screen()
		back = func() {
			shown()
			keys()
		}
	}
	if l == nil {
		return back
	}
	l.restore()
	return func() {
		_ = l.raw()
		l.measure()
		back()
	}
}
