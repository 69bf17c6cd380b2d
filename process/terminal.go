//go:build unix

package process

import (
	"errors"
	"fmt"
	"syscall"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// defaultColumns and defaultRows are the size of a terminal of which nothing else is known.
const defaultColumns, defaultRows = 80, 24

// openPseudoTerminal makes a pseudo terminal. plain ones hand output on as it was written; others begin each line of it anew, as a
// terminal in raw mode needs it.
func openPseudoTerminal(columns int, plain bool) (_ *stream, forChild int, err error) {
	ours, theirs, err := pty.Open()
	if err != nil {
		return nil, -1, fmt.Errorf("no pseudo terminal: %w", err)
	}
	defer ours.Close()
	defer theirs.Close()
	if columns <= 0 {
		columns = defaultColumns
	}
	if err := pty.Setsize(ours, &pty.Winsize{Cols: uint16(min(columns, 1<<15)), Rows: defaultRows}); err != nil {
		return nil, -1, fmt.Errorf("size of a pseudo terminal: %w", err)
	}
	if plain {
		if err := unprocessed(int(theirs.Fd())); err != nil {
			return nil, -1, fmt.Errorf("mode of a pseudo terminal: %w", err)
		}
	}
	// The library's files are in the runtime's poller already; a stream decides that for itself.
	r, err := unix.FcntlInt(ours.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err != nil {
		return nil, -1, err
	}
	w, err := unix.FcntlInt(theirs.Fd(), unix.F_DUPFD_CLOEXEC, 0)
	if err == nil {
		_, err = unix.FcntlInt(uintptr(r), unix.F_SETFL, unix.O_NONBLOCK)
	}
	if err != nil {
		unix.Close(r)
		return nil, -1, err
	}
	return &stream{kind: Stdout, fd: r, terminal: true}, w, nil
}

// resize tells the process of another size.
func (s *stream) resize(columns, rows int) {
	_ = unix.IoctlSetWinsize(s.fd, unix.TIOCSWINSZ, &unix.Winsize{Col: uint16(columns), Row: uint16(rows)})
}

// borrow gives the process a user's terminal: what stands for it is its standard input too, and the terminal of its session.
func (p *proc) borrow(t Terminal, attr *syscall.ProcAttr) error {
	lent, err := t.Lend(p.streams[0].resize)
	if err != nil {
		return fmt.Errorf("the terminal cannot be lent: %w", err)
	}
	p.loan = &loan{lent: lent, out: p.streams[0]}
	p.out = p.loan
	attr.Files[0] = attr.Files[1]
	attr.Sys.Setctty = true // of its standard input
	return nil
}

func (p *proc) giveBack() {
	if p.loan != nil {
		p.loan.lent.Return()
	}
}

// loan is a user's terminal in the hands of one process.
type loan struct {
	lent Lent
	out  *stream
}

// Write shows what the process writes.
func (l *loan) Write(_ Stream, b []byte) { _, _ = l.lent.Write(b) }

// carryInput carries what is typed to the process until one of the two has gone.
func (l *loan) carryInput() {
	buf := make([]byte, 4096)
	for {
		n, err := l.lent.Read(buf)
		if n > 0 {
			if _, werr := l.out.file.Write(buf[:n]); werr != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

// isHangup reports whether an error of a terminal says that nobody has its other end open.
func isHangup(err error) bool { return errors.Is(err, unix.EIO) }

// unprocessed makes a terminal hand output on as it was written: a line ends as the program ended it.
func unprocessed(fd int) error {
	t, err := unix.IoctlGetTermios(fd, getTermios)
	if err != nil {
		return err
	}
	t.Oflag &^= unix.OPOST
	return unix.IoctlSetTermios(fd, setTermios, t)
}
