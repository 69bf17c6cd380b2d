package process

import (
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/sys/unix"
)

// masks forks from threads that have a umask of their own. On Linux a umask belongs to what threads share only because they were made to
// (CLONE_FS), so a thread can leave that. It never comes back: it is locked to its goroutine, and ends with it.
//
// The zero value is ready. Threads are as many as forks were under way at once, and are used again until close.
type masks struct {
	mu      sync.Mutex
	idle    []chan maskedFork
	refused bool // by a filter of system calls, as in some containers
	closed  bool
}

type maskedFork struct {
	umask uint32
	fork  func() (int, error)
	done  chan<- forked
}

type forked struct {
	pid int
	err error
}

// fork calls f on a thread with that umask; ok is false when there is no such thread, and then f was not called.
func (m *masks) fork(umask uint32, f func() (int, error)) (pid int, err error, ok bool) {
	thread := m.take()
	if thread == nil {
		return 0, nil, false
	}
	done := make(chan forked, 1)
	thread <- maskedFork{umask, f, done}
	got := <-done
	m.giveBack(thread)
	return got.pid, got.err, true
}

func (m *masks) take() chan maskedFork {
	m.mu.Lock()
	n := len(m.idle)
	if m.refused || n > 0 {
		defer m.mu.Unlock()
		if m.refused {
			return nil
		}
		thread := m.idle[n-1]
		m.idle = m.idle[:n-1]
		return thread
	}
	m.mu.Unlock()
	thread, own := make(chan maskedFork), make(chan bool)
	go serveForks(thread, own)
	if <-own {
		return thread
	}
	m.mu.Lock()
	m.refused = true
	m.mu.Unlock()
	return nil
}

func (m *masks) giveBack(thread chan maskedFork) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.closed {
		close(thread)
		return
	}
	m.idle = append(m.idle, thread)
}

// close ends the threads.
func (m *masks) close() {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, thread := range m.idle {
		close(thread)
	}
	m.idle, m.closed = nil, true
}

// unshareFS is unix.Unshare(unix.CLONE_FS); tests refuse it.
var unshareFS = func() error { return unix.Unshare(unix.CLONE_FS) }

// serveForks makes its thread one with a umask of its own, says whether that went well, and forks as asked.
func serveForks(asked <-chan maskedFork, own chan<- bool) {
	runtime.LockOSThread()
	if unix.Gettid() == unix.Getpid() {
		// The main thread is what /proc shows of the process, and it does not end: another one has to do it.
		done := make(chan struct{})
		go func() {
			defer close(done)
			serveForks(asked, own)
		}()
		<-done
		runtime.UnlockOSThread()
		return
	}
	if unshareFS() != nil {
		runtime.UnlockOSThread()
		own <- false
		return
	}
	own <- true
	for a := range asked {
		unix.Umask(int(a.umask))
		pid, err := a.fork()
		a.done <- forked{pid, err}
	}
}

// ownUmask is the umask of this process.
func ownUmask() uint32 {
	b, _ := os.ReadFile("/proc/self/status")
	if _, rest, ok := strings.Cut(string(b), "\nUmask:"); ok {
		line, _, _ := strings.Cut(rest, "\n")
		if n, err := strconv.ParseUint(strings.TrimSpace(line), 8, 32); err == nil {
			return uint32(n)
		}
	}
	return setUmask()
}
