//go:build unix

package process

import (
	"fmt"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// killCut is how long after a kill our pipe ends are closed, whoever holds the others (chapter 2, section 6).
const killCut = 200 * time.Millisecond

// proc is one process of System. One goroutine sees it to its end. Two more carry its output, but only when there is some
// before the end: each goroutine that has to be woken costs a good part of what the fork costs.
type proc struct {
	sys   *system
	pid   int // of the main process, and so of its session and group
	birth int64
	slot  int // in the helper's table
	out   Sink
	loan  *loan // of a user's terminal; nil: none
	// poll becomes readable when the main process ends or writes; nil where the system has nothing of the kind.
	poll    *os.File
	pidfd   int // watched by poll; -1 without
	streams [2]*stream

	still   atomic.Bool   // by Suspend
	pumps   atomic.Int32  // pumps that run
	drained chan struct{} // closed when both pumps have ended
	hurry   chan struct{} // closed by the first signal of ours
	giveUp  chan struct{} // closed some time after Kill: the kernel does not let go of the process
	done    chan struct{} // closed when exit is final

	mu        sync.Mutex
	reaped    bool // waited for: pid may belong to another process soon, the group's number only when the group is gone
	status    syscall.WaitStatus
	waitErr   error
	groupGone bool // final: a group without members cannot get new ones
	cancelled bool // we sent a signal before the end of the main process was seen
	held      bool // a signal of ours hit somebody who held a pipe after the main process had ended by itself
	hurried   bool
	termed    bool           // SIGTERM was sent
	asked     syscall.Signal // the last one of ours but SIGKILL
	killed    bool
	ended     bool
	pumping   bool
	isCut     bool
	timers    [2]*time.Timer

	lost []Leftover // of the supervising goroutine: members of the group that were killed after the main process had ended by itself

	exit Exit
}

func (p *proc) PID() int { return p.pid }

// OSProcess says that PID is a number of the operating system; see OSPID.
func (p *proc) OSProcess() bool { return true }

func (p *proc) Wait() Exit {
	<-p.done
	return p.exit
}

// Interrupt implements what the function Interrupt looks for.
func (p *proc) Interrupt() { p.signal(unix.SIGINT) }

// named are the signals that the function Signal hands on.
var named = map[string]syscall.Signal{"HUP": unix.SIGHUP, "QUIT": unix.SIGQUIT, "USR1": unix.SIGUSR1, "USR2": unix.SIGUSR2}

// Signal implements what the function Signal looks for.
func (p *proc) Signal(name string) {
	if sig, known := named[name]; known {
		p.signal(sig)
		return
	}
	p.Terminate()
}

// Terminate implements Process.
func (p *proc) Terminate() { p.signal(unix.SIGTERM) }

// Kill implements Process.
func (p *proc) Kill() { p.signal(unix.SIGKILL) }

func (p *proc) signal(sig syscall.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return
	}
	// An end that has already happened counts as the process's own (4.5).
	if !p.reaped {
		p.reap()
	}
	if !p.reaped {
		p.cancelled = true
	}
	if !p.groupGone {
		p.held = p.held || p.reaped && !p.released()
		unix.Kill(-p.pid, sig)
	}
	p.termed = p.termed || sig == unix.SIGTERM
	if sig != unix.SIGKILL {
		p.asked = sig
	}
	if !p.hurried {
		p.hurried = true
		close(p.hurry)
	}
	if sig == unix.SIGKILL && !p.killed {
		p.killed = true
		p.timers[0] = time.AfterFunc(killCut, p.cut)
		if p.poll != nil {
			p.poll.SetReadDeadline(time.Now().Add(p.sys.limits.Sweep))
		}
		p.timers[1] = time.AfterFunc(p.sys.limits.Sweep, func() { close(p.giveUp) })
	}
}

// reap takes the main process's status if it has ended. The caller holds mu.
func (p *proc) reap() {
	for {
		n, err := syscall.Wait4(p.pid, &p.status, syscall.WNOHANG, nil)
		switch {
		case err == syscall.EINTR:
			continue
		case err != nil:
			p.reaped, p.waitErr = true, fmt.Errorf("wait for process %d: %w", p.pid, err)
		case n == p.pid:
			p.reaped = true
		}
		return
	}
}

// cut ends the streams on our side, whoever holds the others.
func (p *proc) cut() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.isCut = true
	if p.pumping && !p.ended {
		for _, s := range p.streams {
			s.cut()
		}
	}
}

// startPumps makes sure that the output is carried to the sink from now on.
func (p *proc) startPumps() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.pumping {
		return
	}
	p.pumping = true
	p.pumps.Store(int32(len(p.streams)))
	for _, s := range p.streams {
		s.open()
		if p.isCut {
			s.cut()
		}
		go func() {
			if !s.atEOF {
				s.pump(p.out)
			}
			if p.pumps.Add(-1) == 0 {
				close(p.drained)
			}
		}()
	}
}

// supervise sees the process to its end.
func (p *proc) supervise() {
	p.awaitExit()
	p.mu.Lock()
	if !p.reaped {
		p.reap()
	}
	if !p.reaped {
		p.waitErr = fmt.Errorf("process %d did not end within %v of SIGKILL", p.pid, p.sys.limits.Sweep)
	}
	p.mu.Unlock()

	incomplete := p.end()
	leftovers := p.strays()
	p.giveBack()

	p.mu.Lock()
	p.ended = true
	for _, s := range p.streams {
		if s.trouble != "" && incomplete == "" {
			incomplete = s.trouble
		}
		s.close()
	}
	p.unwatch()
	for _, t := range p.timers {
		if t != nil {
			t.Stop()
		}
	}
	p.exit = Exit{Cancelled: p.cancelled, Incomplete: incomplete, Leftovers: leftovers, WaitErr: p.waitErr}
	if !p.cancelled {
		p.exit.Killed = p.lost
	}
	switch {
	case p.waitErr != nil:
		p.exit.Code = -1
	case p.status.Signaled():
		p.exit.Code, p.exit.Signal = -1, int(p.status.Signal())
	default:
		p.exit.Code = p.status.ExitStatus()
	}
	if !p.groupGone {
		p.sys.helper.remove(p.slot)
	}
	p.mu.Unlock()
	p.sys.forget(p)
	close(p.done)
}

func (p *proc) isHurried() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.hurried
}
