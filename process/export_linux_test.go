package process

import (
	"strings"
	"time"
)

// IsSubreaper asks the kernel.
func IsSubreaper() (bool, error) {
	var on int32
	err := prctlGetSubreaper(&on)
	return on != 0, err
}

// OldKernel takes away pidfd and the file of children until the result is called.
func OldKernel() (undo func()) {
	usePidfd = false
	children.join()
	children.mu.Lock()
	list := children.list
	children.list = nil
	children.mu.Unlock()
	return func() {
		usePidfd = true
		children.mu.Lock()
		children.list = list
		children.mu.Unlock()
		children.leave()
	}
}

// HelperPID returns the helper's number, 0 when there is none.
func HelperPID(s Spawner) int {
	h := &s.(*system).helper
	<-h.started
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.pid
}

// HelperTable returns what stands in the helper's table.
func HelperTable(s Spawner) string {
	h := &s.(*system).helper
	h.mu.Lock()
	defer h.mu.Unlock()
	b := make([]byte, 1<<16)
	n, _ := h.table.ReadAt(b, 0)
	return strings.Join(strings.Fields(string(b[:n])), " ")
}

// UnknownChildren counts the children that each end of a task would have to look at.
func UnknownChildren() int {
	children.mu.Lock()
	defer children.mu.Unlock()
	return len(children.unknown(false))
}

// ForkSlowly registers what start has started as the main process of a task only when start returns, and forgets it after use.
func ForkSlowly(start func() (int, error), use func()) error {
	p := &proc{}
	if err := children.fork(p, start); err != nil {
		return err
	}
	use()
	children.mu.Lock()
	defer children.mu.Unlock()
	delete(children.tasks, p.pid)
	return nil
}

// LengthenLazyWait leaves unknown zombies to the host for good.
func LengthenLazyWait() (undo func()) { return setLazyWait(time.Hour) }

// ShortenLazyWait lets unknown zombies be reaped soon.
func ShortenLazyWait() (undo func()) { return setLazyWait(50 * time.Millisecond) }

func setLazyWait(d time.Duration) (undo func()) {
	children.mu.Lock()
	defer children.mu.Unlock()
	old := lazyWait
	lazyWait = d
	return func() {
		children.mu.Lock()
		defer children.mu.Unlock()
		lazyWait = old
	}
}

// FullPoller makes the runtime's poller useless until the result is called, as when the kernel watches no more descriptors.
func FullPoller() (undo func()) {
	usePoller, usePidfd = false, false
	return func() { usePoller, usePidfd = true, true }
}

// Starting is how many starts are under way.
func Starting(s Spawner) int {
	sys := s.(*system)
	sys.mu.Lock()
	defer sys.mu.Unlock()
	return sys.starts
}

// RefuseUnshare makes threads keep the umask of all until the result is called.
func RefuseUnshare(err error) (undo func()) {
	was := unshareFS
	unshareFS = func() error { return err }
	return func() { unshareFS = was }
}

// MaskThreads is how many threads wait to fork with a umask of their own.
func MaskThreads(s Spawner) int {
	m := &s.(*system).masks
	m.mu.Lock()
	defer m.mu.Unlock()
	return len(m.idle)
}
