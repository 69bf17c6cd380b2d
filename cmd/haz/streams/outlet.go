package streams

import (
	"errors"
	"io/fs"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	_ "github.com/haz-build/haz/process" // where there is no Unix the compiler stops there, and says so
)

// outlet writes to standard output or standard error, whoever else has a say there.
//
// Somebody who shares it may have made it non-blocking: then it waits until more can be written, and nothing is lost. Whoever
// reads it may stand still (a pager, Ctrl-S, a collector of logs that is stuck): then it waits, too, but not for longer than a
// signal allows.
type outlet struct {
	f        *os.File
	fd       int
	kind     outletKind
	patience *Patience
}

type outletKind uint8

const (
	patient  outletKind = iota // a file, or what cannot be told: a write ends by itself
	pipeline                   // what poll says about it holds for so many bytes
	socket                     // can be written to without waiting
	private                    // a descriptor of our own that does not block
)

// pipeBytes is what a pipe takes in one piece when poll says that it can be written to.
const pipeBytes = 4096

func newOutlet(f *os.File, p *Patience) *outlet {
	o := &outlet{f: f, fd: int(f.Fd()), patience: p}
	var st unix.Stat_t
	if unix.Fstat(o.fd, &st) != nil {
		return o
	}
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFIFO:
		o.kind = pipeline
	case unix.S_IFSOCK:
		o.kind = socket
	case unix.S_IFCHR:
		if fd, err := reopen(o.fd); err == nil {
			o.fd, o.kind = fd, private
		}
	}
	return o
}

// errStuck is why the rest of the output was dropped.
var errStuck = errors.New("its reader stands still")

// Write implements io.Writer. An error is final.
func (o *outlet) Write(b []byte) (n int, err error) {
	if o.kind == patient {
		return o.plain(b)
	}
	for since := o.patience.now(); n < len(b); {
		if !o.await(since) {
			o.patience.GaveUp()
			return n, o.error(errStuck)
		}
		m, err := o.some(b[n:])
		switch {
		case m > 0:
			n += m
			since = o.patience.now()
		case err != unix.EAGAIN && err != unix.EINTR:
			return n, o.error(err)
		}
	}
	return n, nil
}

// plain is Write for what needs no waiting but, perhaps, a second try.
func (o *outlet) plain(b []byte) (n int, err error) {
	for n < len(b) {
		m, err := unix.Write(o.fd, b[n:])
		switch {
		case m > 0:
			n += m
		case err == unix.EAGAIN:
			_, _ = unix.Poll([]unix.PollFd{{Fd: int32(o.fd), Events: unix.POLLOUT}}, int(glance/time.Millisecond))
		case err != nil && err != unix.EINTR:
			return n, o.error(err)
		}
	}
	return n, nil
}

// some writes what can be written at once.
func (o *outlet) some(b []byte) (int, error) {
	switch o.kind {
	case pipeline:
		return unix.Write(o.fd, b[:min(len(b), pipeBytes)])
	case socket:
		return unix.SendmsgN(o.fd, b, nil, nil, unix.MSG_DONTWAIT)
	}
	return unix.Write(o.fd, b)
}

// glance is how long a wait goes on before it looks whether a signal has come.
const glance = 50 * time.Millisecond

// await returns when something can be written, or failed; false when a signal has come and nothing moved for too long.
func (o *outlet) await(since time.Time) bool {
	fds := []unix.PollFd{{Fd: int32(o.fd), Events: unix.POLLOUT}}
	for {
		n, err := unix.Poll(fds, int(glance/time.Millisecond))
		if n > 0 || err != nil && err != unix.EINTR {
			return true
		}
		if o.patience.over(since) {
			return false
		}
	}
}

func (o *outlet) error(err error) error {
	return &fs.PathError{Op: "write", Path: o.f.Name(), Err: err}
}

// stuckFor is how long nothing may move on a stream after a signal.
const stuckFor = 500 * time.Millisecond

// Patience is what all streams have with their readers: without end, until a signal comes.
type Patience struct {
	mu       sync.Mutex
	skipped  time.Duration // in which haz stood still
	still    time.Time     // since when it does; zero while it does not
	signal   time.Time     // when the first one came; zero before
	deadline time.Time
	dropped  bool
}

// End follows a signal: what is stuck is given up soon, and everything when the grace is over.
func (p *Patience) End(grace time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if now := p.nowLocked(); p.signal.IsZero() {
		p.signal, p.deadline = now, now.Add(grace+stuckFor)
	}
}

// Extend puts off, after a signal, when everything is given up: the grace begins anew.
func (p *Patience) Extend(grace time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if !p.signal.IsZero() {
		p.deadline = p.nowLocked().Add(grace + stuckFor)
	}
}

// over reports whether a write that has not moved since then is to be given up.
func (p *Patience) over(since time.Time) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.signal.IsZero() {
		return false
	}
	if p.dropped {
		return true // the other stream has waited long enough for both
	}
	if p.signal.After(since) {
		since = p.signal
	}
	now := p.nowLocked()
	return now.Sub(since) > stuckFor || now.After(p.deadline)
}

// now is the present on a clock that stands still when haz does.
func (p *Patience) now() time.Time {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.nowLocked()
}

func (p *Patience) nowLocked() time.Time {
	if !p.still.IsZero() {
		return p.still.Add(-p.skipped)
	}
	return time.Now().Add(-p.skipped)
}

// Stand stops the clock until goOn is called.
func (p *Patience) Stand() (goOn func()) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.still = time.Now()
	return func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		p.skipped += time.Since(p.still)
		p.still = time.Time{}
	}
}

// GaveUp notes that something was not printed for want of a reader.
func (p *Patience) GaveUp() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.dropped = true
}

// HasDropped reports whether something was not printed for want of a reader.
func (p *Patience) HasDropped() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.dropped
}
