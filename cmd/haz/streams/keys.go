package streams

import (
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Keys are keys of a terminal, each as soon as it is pressed and without an echo. Those that make signals still do. They are read while this
// program is in the terminal's foreground and has not lent it to somebody: else the terminal is as it was.
type Keys struct {
	in      *os.File
	Pressed chan byte
	wake    [2]int // a pipe
	done    chan struct{}
	conts   chan os.Signal

	mu     sync.Mutex
	lent   int           // to how many
	cooked *unix.Termios // as it was before; nil while it is so
	closed bool
}

// ReadKeys reads keys from a terminal until Close.
func ReadKeys(in *os.File) (*Keys, error) {
	k := &Keys{in: in, Pressed: make(chan byte, 16), done: make(chan struct{}), conts: make(chan os.Signal, 1)}
	if err := unix.Pipe(k.wake[:]); err != nil {
		return nil, err
	}
	for _, fd := range k.wake {
		unix.CloseOnExec(fd)
		_ = unix.SetNonblock(fd, true)
	}
	signal.Notify(k.conts, syscall.SIGCONT)
	go func() {
		for range k.conts { // somebody may have changed its mode, and whose it is
			k.stir()
		}
	}()
	go k.follow()
	pressing.set(k)
	return k, nil
}

// Close gives the terminal back. Nothing is read any more then.
func (k *Keys) Close() {
	pressing.set(nil)
	signal.Stop(k.conts)
	close(k.conts)
	k.mu.Lock()
	k.closed = true
	k.cook()
	k.mu.Unlock()
	k.stir()
	<-k.done
	for _, fd := range k.wake {
		_ = unix.Close(fd)
	}
}

// lend leaves the terminal to somebody else, as it was, until back is called.
func (k *Keys) lend() (back func()) {
	k.mu.Lock()
	k.lent++
	k.cook()
	k.mu.Unlock()
	return func() {
		k.mu.Lock()
		k.lent--
		k.mu.Unlock()
		k.stir()
	}
}

func (k *Keys) stir() { _, _ = unix.Write(k.wake[1], []byte{0}) }

// backgroundGlance is how often it is looked whether this program has come to the foreground without being told.
const backgroundGlance = time.Second

func (k *Keys) follow() {
	defer close(k.done)
	for {
		ours, over := k.take()
		if over {
			return
		}
		fds, wait := []unix.PollFd{{Fd: int32(k.wake[0]), Events: unix.POLLIN}, {Fd: int32(k.in.Fd()), Events: unix.POLLIN}}, -1
		if !ours {
			fds, wait = fds[:1], int(backgroundGlance.Milliseconds())
		}
		if _, err := unix.Poll(fds, wait); err != nil && err != unix.EINTR {
			return
		}
		if fds[0].Revents != 0 {
			_, _ = unix.Read(k.wake[0], make([]byte, 64))
		}
		if ours && fds[1].Revents != 0 && !k.read(fds[1].Revents&(unix.POLLHUP|unix.POLLERR|unix.POLLNVAL) != 0) {
			return
		}
	}
}

// take makes the terminal ours when it can be.
func (k *Keys) take() (ours, over bool) {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.closed {
		return false, true
	}
	if k.lent > 0 || !k.foreground() {
		return false, false
	}
	now, err := unix.IoctlGetTermios(int(k.in.Fd()), getMode)
	if err != nil {
		return false, true // it is gone
	}
	if now.Lflag&(unix.ICANON|unix.ECHO) != 0 {
		was := *now
		k.cooked = &was
		now.Lflag &^= unix.ICANON | unix.ECHO
		now.Cc[unix.VMIN], now.Cc[unix.VTIME] = 1, 0
		_ = unix.IoctlSetTermios(int(k.in.Fd()), setMode, now)
	}
	return true, false
}

// cook makes the terminal what it was, unless it belongs to another program by now, which must not be disturbed and would disturb us.
func (k *Keys) cook() {
	if k.cooked != nil && k.foreground() {
		_ = unix.IoctlSetTermios(int(k.in.Fd()), setMode, k.cooked)
	}
	k.cooked = nil
}

// foreground reports whether a read would be served, and not stop this program. Where the terminal is not that of our session, it is.
func (k *Keys) foreground() bool {
	group, err := unix.IoctlGetInt(int(k.in.Fd()), unix.TIOCGPGRP)
	return err != nil || group == unix.Getpgrp()
}

// read hands on what was typed; false when there is nobody any more.
func (k *Keys) read(hungUp bool) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.lent > 0 || k.closed || !k.foreground() {
		return true
	}
	// A read that waits would hold up whoever wants the terminal, and a mode in which none waits (VMIN 0) is the end of input to a shell that finds
	// it, should we be killed.
	if there, err := unix.IoctlGetInt(int(k.in.Fd()), bytesThere); err == nil && there == 0 && !hungUp {
		return true
	}
	buf := make([]byte, 64)
	n, err := unix.Read(int(k.in.Fd()), buf)
	switch {
	case err == unix.EINTR, err == unix.EAGAIN:
		return true
	case err != nil, n == 0:
		return false
	}
	for _, b := range plainKeys(buf[:n]) {
		select {
		case k.Pressed <- b:
		default: // whoever types that fast will type again
		}
	}
	return true
}

// plainKeys is what was typed without the keys that send more than one byte, which begin with escape: arrows and the like.
func plainKeys(typed []byte) (plain []byte) {
	const escape = 0x1b
	for i := 0; i < len(typed); i++ {
		switch {
		case typed[i] != escape:
			plain = append(plain, typed[i])
		case i+1 < len(typed) && typed[i+1] == '[': // up to a letter or ~
			for i += 2; i < len(typed) && (typed[i] < 0x40 || typed[i] > 0x7e); i++ {
			}
		case i+1 < len(typed) && typed[i+1] == 'O':
			i += 2
		default:
			i++
		}
	}
	return plain
}

// pressing is what reads keys.
var pressing keyReaders

type keyReaders struct {
	mu  sync.Mutex
	now *Keys
}

func (s *keyReaders) set(k *Keys) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.now = k
}

// LendKeys leaves the terminal to somebody else until back is called, if this program reads keys.
func LendKeys() (back func()) {
	pressing.mu.Lock()
	k := pressing.now
	pressing.mu.Unlock()
	if k == nil {
		return func() {}
	}
	return k.lend()
}
