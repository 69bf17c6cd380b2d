package process

import (
	"os"
	"os/signal"
	"syscall"
	"time"
)

// A child subreaper inherits what tasks leave behind, and has to wait for it: until then a daemon that a script has stopped still
// answers kill -0, and the script waits for its end. So all that is ours and has died is reaped when the kernel says that some child
// has, not only when a task ends.

// reapPause is for how long the deaths of children are collected before the next look at them.
const reapPause = 5 * time.Millisecond

// reaper looks at the children whenever one has died.
type reaper struct{ stop, done chan struct{} }

func (r *registry) startReaper() *reaper {
	p := &reaper{stop: make(chan struct{}), done: make(chan struct{})}
	deaths := make(chan os.Signal, 1)
	signal.Notify(deaths, syscall.SIGCHLD)
	go func() {
		defer close(p.done)
		defer signal.Stop(deaths)
		r.reap(deaths, p.stop)
	}()
	return p
}

func (p *reaper) end() {
	close(p.stop)
	<-p.done
}

func (r *registry) reap(deaths <-chan os.Signal, stop <-chan struct{}) {
	again := time.NewTimer(time.Hour) // for zombies that are left to the host first
	again.Stop()
	defer again.Stop()
	for {
		select {
		case <-stop:
			return
		case <-deaths:
		case <-again.C:
		}
		if wait := r.reapAdopted(); wait > 0 {
			again.Reset(wait)
		}
		pause := time.NewTimer(reapPause)
		select {
		case <-stop:
			pause.Stop()
			return
		case <-pause.C:
		}
	}
}

// reapAdopted waits for the dead that tasks have left behind. It returns in how long there may be more to do; 0: no earlier than the
// next death.
func (r *registry) reapAdopted() time.Duration {
	r.mu.Lock()
	defer r.mu.Unlock()
	dead := false
	for _, q := range r.unknown(false) {
		dead = dead || q.zombie()
	}
	if dead {
		// A child that is just being started is unknown, too, and may have died already. Let all forks finish.
		r.mu.Unlock()
		r.gate.Lock()
		r.mu.Lock()
		r.unknown(true)
		r.gate.Unlock()
	}
	for pid, d := range r.dying {
		if q, ok := readStat(pid); !ok || q.birth != d.birth || !q.zombie() {
			delete(r.dying, pid) // the host has waited for it
			continue
		}
		return lazyWait
	}
	return 0
}

// ours reports whether a zombie that nobody knows is certainly no child that the host has started itself.
func (r *registry) ours(q procInfo) bool {
	if r.sole > 0 || r.tasks[q.sid] != nil {
		return true
	}
	_, settled := r.sessions[q.sid]
	return settled
}
