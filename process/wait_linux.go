package process

import (
	"os"
	"syscall"
	"time"
	"unsafe"

	"golang.org/x/sys/unix"

	"github.com/haz-build/haz/fsys"
)

func pipe() (r, w int, err error) {
	var p [2]int
	if err := unix.Pipe2(p[:], unix.O_CLOEXEC); err != nil {
		return -1, -1, err
	}
	return p[0], p[1], nil
}

const getTermios, setTermios = unix.TCGETS, unix.TCSETS

// usePidfd is false in tests of what old kernels get.
var usePidfd = true

// newSession asks for a session of its own and for a pidfd, which stays -1 on kernels before 5.2.
func newSession(pidfd *int) *syscall.SysProcAttr {
	if !usePidfd {
		pidfd = nil
	}
	return &syscall.SysProcAttr{Setsid: true, PidFD: pidfd}
}

// watch puts the main process and both pipes behind one descriptor, and that into the runtime's poller: one goroutine waits
// for all three, and no thread. Where pidfd is missing (kernels before 5.3), poll stays nil.
func (p *proc) watch() {
	if p.pidfd < 0 {
		return
	}
	ep, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return
	}
	_, err = unix.FcntlInt(uintptr(ep), unix.F_SETFL, unix.O_NONBLOCK)
	for _, fd := range []int{p.pidfd, p.streams[0].fd, p.streams[1].fd} {
		if err == nil {
			// Edges, so that a pipe that a pump has taken over, or that was closed early, is told of only once.
			err = unix.EpollCtl(ep, unix.EPOLL_CTL_ADD, fd, &unix.EpollEvent{Events: unix.EPOLLIN | unix.EPOLLET, Fd: int32(fd)})
		}
	}
	if err != nil {
		unix.Close(ep)
		return
	}
	p.poll = os.NewFile(uintptr(ep), "epoll")
	if p.poll.SetReadDeadline(time.Time{}) != nil {
		p.poll.Close()
		p.poll = nil
	}
}

func (p *proc) unwatch() {
	if p.poll != nil {
		p.poll.Close()
	}
	if p.pidfd >= 0 {
		unix.Close(p.pidfd)
	}
}

// awaitExit returns when the main process has ended, or when Kill's patience is over. It starts the pumps with the first
// output.
func (p *proc) awaitExit() {
	if p.poll != nil {
		if conn, err := p.poll.SyscallConn(); err == nil {
			conn.Read(func(ep uintptr) bool { return p.ready(int(ep)) })
			return
		}
	}
	p.startPumps()
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			// WNOWAIT: until it is reaped under the lock, a signal of ours cannot hit another process of that number.
			err := unix.Waitid(unix.P_PID, p.pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
			if err != unix.EINTR {
				return
			}
		}
	}()
	select {
	case <-ended:
	case <-p.giveUp:
	}
}

// ready takes what poll has to tell, and reports whether the main process has ended.
func (p *proc) ready(ep int) bool {
	var events [3]unix.EpollEvent
	n, err := unix.EpollWait(ep, events[:], 0)
	if err == unix.EINTR {
		return p.ready(ep)
	}
	exited, output := false, false
	for _, e := range events[:max(n, 0)] {
		if int(e.Fd) == p.pidfd {
			exited = true
		} else if e.Events&unix.EPOLLIN != 0 {
			output = true
		}
	}
	if exited || n < 0 { // if poll is broken, better to ask than to sleep for ever
		p.mu.Lock()
		defer p.mu.Unlock()
		if !p.reaped {
			p.reap()
		}
		return p.reaped
	}
	if output {
		p.startPumps()
	}
	return false
}

// reapGroup reaps the members of a group that became our children. All of them are of one task, so no status is stolen.
func reapGroup(pgrp int) {
	for {
		n, err := unix.Wait4(-pgrp, nil, unix.WNOHANG, nil)
		if n <= 0 && err != unix.EINTR {
			return
		}
	}
}

func prctlGetSubreaper(was *int32) error {
	return unix.Prctl(unix.PR_GET_CHILD_SUBREAPER, uintptr(unsafe.Pointer(was)), 0, 0, 0)
}

// sharedFile makes a file without a name, for haz and its helper.
func sharedFile() (*os.File, error) {
	fd, err := unix.MemfdCreate("haz-groups", unix.MFD_CLOEXEC)
	if err != nil {
		return fsys.Nameless("haz-groups-")
	}
	return os.NewFile(uintptr(fd), "haz-groups"), nil
}
