package main

import (
	"bufio"
	"errors"
	"io"
	"os"

	"golang.org/x/sys/unix"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/report"
)

// stream is standard output or standard error.
type stream struct {
	f        *os.File
	w        io.Writer // what writes to f
	terminal bool
}

func openStream(f *os.File, p *patience) stream {
	return stream{f: f, w: newOutlet(f, p), terminal: isTerminal(f)}
}

func isTerminal(f *os.File) bool {
	_, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	return err == nil
}

// width of the terminal in columns; 0 when it is not known.
func (s stream) width() int {
	w, err := unix.IoctlGetWinsize(int(s.f.Fd()), unix.TIOCGWINSZ)
	if err != nil {
		return 0
	}
	return int(w.Col)
}

// sameFile reports whether two open files are one: `>log 2>&1`, or one pipe of a CI service.
func sameFile(a, b *os.File) bool {
	x, err := a.Stat()
	if err != nil {
		return false
	}
	y, err := b.Stat()
	return err == nil && os.SameFile(x, y)
}

// reportWriter is standard output for reports: buffered, and silent after the first error, which finish tells.
type reportWriter struct {
	b   *bufio.Writer
	err error
}

func newReportWriter(f io.Writer) *reportWriter {
	return &reportWriter{b: bufio.NewWriterSize(f, 32<<10)}
}

func (w *reportWriter) Write(p []byte) (int, error) {
	if _, err := w.b.Write(p); err != nil && w.err == nil {
		w.err = err
	}
	return len(p), nil // what reports has nothing to decide about this
}

func (w *reportWriter) print(s string) { _, _ = w.Write([]byte(s)) }

// flush writes what is held back, and reports whether all could be written so far.
func (w *reportWriter) flush() bool {
	if err := w.b.Flush(); err != nil && w.err == nil {
		w.err = err
	}
	return w.err == nil
}

// finish flushes. A reader that has gone away had enough: no error (chapter 3, 12).
func (w *reportWriter) finish() error {
	if w.flush() || report.ReaderGone(w.err) {
		return nil
	}
	return errors.New("standard output cannot be written: " + fsys.Cause(w.err).Error())
}
