//go:build unix && !linux

package process

import (
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/haz-build/haz/fsys"
)

// Here the kernel offers neither subreaper nor pidfd nor a /proc that all have: what leaves a group is lost to us, and a
// thread waits for each process. System says what that means.

var children registry

type registry struct{}

func (registry) join()            {}
func (registry) leave()           {}
func (registry) own(int)          {}
func (registry) remove(*proc)     {}
func (registry) forgetHelper(int) {}

func (registry) fork(p *proc, f func() (int, error)) (err error) {
	p.pid, err = f()
	return err
}

func (registry) forkHelper(f func() (int, error)) (int, error) { return f() }

func pipe() (r, w int, err error) {
	var p [2]int
	// Not one step here, so no fork may come between.
	syscall.ForkLock.RLock()
	defer syscall.ForkLock.RUnlock()
	if err := unix.Pipe(p[:]); err != nil {
		return -1, -1, err
	}
	unix.CloseOnExec(p[0])
	unix.CloseOnExec(p[1])
	return p[0], p[1], nil
}

// masks: here a umask belongs to the whole process.
type masks struct{}

func (*masks) fork(uint32, func() (int, error)) (int, error, bool) { return 0, nil, false }
func (*masks) close()                                              {}

// ownUmask is the umask of this process, learned once: a host that changes it later is not followed.
var ownUmask = sync.OnceValue(setUmask)

const getTermios, setTermios = unix.TIOCGETA, unix.TIOCSETA

func newSession(*int) *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

func (p *proc) watch()   {}
func (p *proc) unwatch() {}

func (p *proc) awaitExit() {
	p.startPumps()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			var ws syscall.WaitStatus
			n, err := syscall.Wait4(p.pid, &ws, 0, nil)
			if err == syscall.EINTR {
				continue
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			switch {
			case p.reaped: // by Terminate or Kill
			case n == p.pid:
				p.reaped, p.status = true, ws
			default:
				p.reaped, p.waitErr = true, err
			}
			return
		}
	}()
	select {
	case <-ended:
	case <-p.giveUp:
	}
}

// reapGroup: orphans belong to process 1.
func reapGroup(int) {}

func (p *proc) sweep(time.Time)      {}
func (p *proc) killStrays() bool     { return false }
func (p *proc) strays() []Leftover   { return nil }
func (p *proc) killBystanders()      {}
func (p *proc) members() []procInfo  { return nil }
func (p *proc) lose([]procInfo)      {}
func descendants([]*proc) []procInfo { return nil }
func killEach([]procInfo)            {}

func (p *proc) holders() ([]procInfo, bool) { return nil, false }
func onlyZombies(int) bool                  { return false }
func terminateDeaf(int, unix.Signal)        {}

// standStill stops the groups of these tasks; what has left them is lost to us.
func standStill(ps []*proc) (goOn func()) {
	for _, p := range ps {
		p.signalGroup(unix.SIGSTOP)
	}
	return func() {
		for _, p := range ps {
			p.signalGroup(unix.SIGCONT)
		}
	}
}

func sharedFile() (*os.File, error) { return fsys.Nameless("haz-groups-") }
