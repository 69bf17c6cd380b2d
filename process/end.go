//go:build unix

package process

import (
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// end brings what is left of the process to its end after the main process is gone: its group and its streams. It returns
// why the streams are not complete, "" when they are. Afterwards no pump runs.
//
//	main process ended ─▶ members without a pipe killed ─▶ PipesClose ─▶ TERM ─▶ GroupTerm ─▶ KILL ─▶ Drain ─▶ cut
//	                      (S-16, 4.5)                         each arrow is left as soon as both pipes are closed
//	after a signal of ours (section 6):  group gone, or Kill ─▶ group killed, escaped descendants killed ─▶ killCut ─▶ cut
func (p *proc) end() (incomplete string) {
	ok := false
	if !p.isHurried() {
		incomplete, ok = p.endQuietly()
	}
	if !ok {
		if why := p.endAtOnce(); incomplete == "" {
			incomplete = why
		}
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.held && incomplete == "" {
		incomplete = cutShort
	}
	return incomplete
}

// cutShort is why the output of a task that was cancelled may not be whole.
const cutShort = "output was still held when the task was ended"

// endQuietly is the end of a process that nobody cancels. It returns false as soon as somebody does.
func (p *proc) endQuietly() (incomplete string, ok bool) {
	l := p.sys.limits
	switch {
	case !p.group():
		// The common case: nothing is left but bytes in the pipes. If nothing was said before, no pump is needed.
		if !p.pumping && p.streams[0].drain(p.out) && p.streams[1].drain(p.out) {
			return "", true
		}
	case p.released():
		p.lose(p.members())
		p.killGroup()
	default:
		p.killBystanders()
	}
	p.startPumps()

	switch p.wait(l.PipesClose) {
	case hurried:
		return "", false
	case timedOut:
		holders, sure := p.holders()
		if p.group() {
			if !sure || inGroup(holders, p.pid) {
				incomplete = heldBy(holders)
			}
			p.lose(p.members())
			p.signalGroup(unix.SIGTERM)
			p.awaitGroup(l.GroupTerm)
			p.killGroup()
		}
		switch p.wait(l.Drain) {
		case hurried:
			return incomplete, false
		case timedOut:
			if incomplete == "" {
				holders, _ = p.holders()
				incomplete = heldBy(holders)
			}
			p.cut()
		}
	}
	// Nobody holds a pipe now. What still comes is in the pipe, and the sink may take its time for it.
	if p.group() {
		p.lose(p.members())
		p.killGroup()
	}
	select {
	case <-p.drained:
		return incomplete, true
	case <-p.hurry:
		return incomplete, false
	}
}

// endAtOnce is the end of a cancelled process: once the group is gone, or was killed, nothing waits.
func (p *proc) endAtOnce() (incomplete string) {
	p.linger()
	var limit time.Duration
	p.mu.Lock()
	if p.reaped { // else the kernel has not let go of it for so long already
		limit = p.sys.limits.Sweep
	}
	p.mu.Unlock()
	deadline := time.Now().Add(limit)
	held := !p.released()
	stop := time.AfterFunc(killCut, p.cut)
	defer stop.Stop()
	if p.group() {
		p.signalGroup(unix.SIGKILL)
		p.awaitGroup(limit)
	}
	p.startPumps()
	p.sweep(deadline)
	<-p.drained
	for _, s := range p.streams {
		if held || !s.atEOF {
			incomplete = cutShort
		}
	}
	return incomplete
}

// linger leaves the group of a process that we have signalled to its own cleaning up, until it is gone or Kill comes: a
// shell dies of the signal at once, and the program that it had started does not. What cannot hear it (a shell makes what it
// starts in the background ignore SIGINT, and nohup SIGHUP) is sent SIGTERM.
func (p *proc) linger() {
	if !p.mayLinger() || !p.group() {
		return
	}
	p.startPumps()
	told := false
	for pause := time.Millisecond; p.mayLinger() && p.group(); pause = min(2*pause, 20*time.Millisecond) {
		if pause > 2*time.Millisecond && onlyZombies(p.pid) {
			return
		}
		if asked, deaf := p.lastAsked(); deaf && !told {
			told = true
			terminateDeaf(p.pid, asked)
		}
		time.Sleep(pause)
	}
}

// mayLinger reports whether the main process ended by a signal of ours, or after one, and Kill has not come yet.
func (p *proc) mayLinger() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.cancelled && !p.killed
}

// lastAsked is the last signal of ours, and whether the group may have members that did not hear it: SIGTERM was not sent yet.
func (p *proc) lastAsked() (sig syscall.Signal, deaf bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked, !p.termed
}

type waited uint8

const (
	released waited = iota
	hurried
	timedOut
)

// wait blocks until both streams are at their end, or the limit has passed and somebody still holds one: bytes that a slow
// sink has not taken yet are not a held pipe.
func (p *proc) wait(limit time.Duration) waited {
	select {
	case <-p.drained: // spares the timer
		return released
	default:
	}
	left := p.patience(limit)
	t := time.NewTimer(left.pause())
	defer t.Stop()
	for {
		select {
		case <-p.drained:
			return released
		case <-p.hurry:
			return hurried
		case <-t.C:
		}
		if left.over() {
			break
		}
		t.Reset(left.pause())
	}
	if p.released() {
		return released
	}
	return timedOut
}

func (p *proc) released() bool { return p.streams[0].released() && p.streams[1].released() }

// group reports whether the process's group has members that live. It reaps those that became our children.
func (p *proc) group() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.groupGone {
		return false
	}
	if unix.Kill(-p.pid, 0) != unix.ESRCH {
		if !p.reaped {
			return true
		}
		// Zombies count as members. Ours are those whose parent has died too.
		reapGroup(p.pid)
		if unix.Kill(-p.pid, 0) != unix.ESRCH {
			return true
		}
	}
	p.groupGone = true
	p.sys.helper.remove(p.slot)
	return false
}

func (p *proc) signalGroup(sig unix.Signal) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.groupGone {
		unix.Kill(-p.pid, sig)
	}
}

// killWait is for how long a killed group is waited for, at most: the kernel may hold a process back (a hung disk).
const killWait = 2 * time.Second

// killGroup kills the group and waits until no member lives.
func (p *proc) killGroup() {
	p.signalGroup(unix.SIGKILL)
	p.awaitGroup(killWait)
}

// awaitGroup waits until the group is gone, or has no members but zombies that others have to reap.
func (p *proc) awaitGroup(limit time.Duration) {
	left := p.patience(limit)
	for pause := 100 * time.Microsecond; p.group(); pause = min(2*pause, 10*time.Millisecond) {
		if left.over() || pause > 2*time.Millisecond && onlyZombies(p.pid) {
			return
		}
		time.Sleep(pause)
	}
}

// heldBy is the reason that chapter 2, 4.5 gives for streams that are not complete.
func heldBy(holders []procInfo) string {
	switch len(holders) {
	case 0:
		return "output still held by another process"
	case 1:
		return "output still held by pid " + strconv.Itoa(holders[0].pid)
	default:
		return "output still held by pid " + strconv.Itoa(holders[0].pid) + " and " + strconv.Itoa(len(holders)-1) + " more"
	}
}

func inGroup(ps []procInfo, pgrp int) bool {
	for _, q := range ps {
		if q.pgrp == pgrp {
			return true
		}
	}
	return false
}
