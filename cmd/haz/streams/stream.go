// Package streams is standard output and standard error, whoever else has a say there and whatever becomes of those who read them
// (outlet.go), and reports that are written to them (stream.go).
package streams

import (
	"bufio"
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/report"
)

// Stream is standard output or standard error.
type Stream struct {
	File     *os.File
	W        io.Writer // what writes to it
	Terminal bool
}

// Open makes a stream of an open file.
func Open(f *os.File, p *Patience) Stream {
	return Stream{File: f, W: newOutlet(f, p), Terminal: IsTerminal(f)}
}

// IsTerminal reports whether a file is a terminal.
func IsTerminal(f *os.File) bool {
	_, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	return err == nil
}

// Width of the terminal in columns; 0 when it is not known.
func (s Stream) Width() int {
	w, err := unix.IoctlGetWinsize(int(s.File.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(w.Col)
}

// SameFile reports whether two open files are one: `>log 2>&1`, or one pipe of a CI service.
func SameFile(a, b *os.File) bool {
	x, err := a.Stat()
	if err != nil {
		return false
	}
	y, err := b.Stat()
	return err == nil && os.SameFile(x, y)
}

// Report is standard output for reports: buffered, and silent after the first error, which Finish tells.
type Report struct {
	b   *bufio.Writer
	err error
}

// NewReport is a report that is written to f.
func NewReport(f io.Writer) *Report {
	return &Report{b: bufio.NewWriterSize(f, 32<<10)}
}

func (w *Report) Write(p []byte) (int, error) {
	if _, err := w.b.Write(p); err != nil && w.err == nil {
		w.err = err
	}
	return len(p), nil // what reports has nothing to decide about this
}

// Print writes a text.
func (w *Report) Print(s string) { _, _ = w.Write([]byte(s)) }

// Flush writes what is held back, and reports whether all could be written so far.
func (w *Report) Flush() bool {
	if err := w.b.Flush(); err != nil && w.err == nil {
		w.err = err
	}
	return w.err == nil
}

// Finish flushes. A reader that has gone away had enough: no error (chapter 3, 12).
func (w *Report) Finish() error {
	if w.Flush() || report.ReaderGone(w.err) {
		return nil
	}
	return errors.New("standard output cannot be written: " + fsys.Cause(w.err).Error())
}
