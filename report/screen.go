package report

import (
	"errors"
	"io/fs"
	"syscall"

	"github.com/haz-build/haz/diag"
)

// screen writes to both streams in one order. It knows whether a line is open, and whether the progress line is drawn.
type screen struct {
	out   [2]Stream
	one   bool    // both lead to one place, where a line that one leaves open glues to what the other writes
	dead  [2]bool // nothing more is written there
	open  [2]bool // the last byte was no newline
	drawn bool    // the progress line stands on stderr
	buf   []byte
}

// write sends bytes in one piece. A stream that cannot be written is given up: quietly when its reader is gone, else with
// one line on stderr (chapter 3, 12).
func (s *screen) write(to int, b []byte) {
	if len(b) == 0 || s.dead[to] {
		return
	}
	s.erase()
	if _, err := s.out[to].W.Write(b); err != nil {
		s.dead[to] = true
		if !ReaderGone(err) && to == toStdout {
			s.fresh()
			s.write(toStderr, []byte("haz: standard output cannot be written any more: "+diag.Escape(cause(err))+"; tasks go on\n"))
		}
		return
	}
	s.open[to] = b[len(b)-1] != '\n'
}

// line writes a line of a task: prefix, bytes, newline, in one piece.
func (s *screen) line(to int, prefix string, line []byte) {
	b := append(s.buf[:0], prefix...)
	b = append(b, line...)
	if s.out[to].Palette.On {
		for _, c := range line {
			if c == esc {
				b = append(b, reset...)
				break
			}
		}
	}
	b = append(b, '\n')
	s.write(to, b)
	if cap(b) <= 64<<10 {
		s.buf = b
	}
}

// fresh makes sure that what comes next on stderr starts a line: blocks are shown verbatim and may lack their last newline.
func (s *screen) fresh() {
	s.begin(toStderr)
}

// begin makes sure that what comes next on a stream starts a line. Where the streams lead to different places, bytes that end
// without a newline stay as they are until something else follows.
func (s *screen) begin(to int) {
	if s.open[to] || s.one && s.open[1-to] {
		s.write(to, []byte{'\n'})
		s.open = [2]bool{!s.one && s.open[toStdout], !s.one && s.open[toStderr]}
		s.open[to] = false
	}
}

// command writes a workflow command to stdout, at the start of a line.
func (s *screen) command(text string) {
	s.begin(toStdout)
	s.write(toStdout, []byte(text+"\n"))
}

// draw puts the progress line on stderr, which erase takes away again.
func (s *screen) draw(text string) {
	if s.dead[toStderr] || s.open[toStderr] || s.open[toStdout] && s.out[toStdout].Terminal {
		return
	}
	if _, err := s.out[toStderr].W.Write([]byte("\r\x1b[2K" + text)); err != nil {
		s.dead[toStderr] = true
		return
	}
	s.drawn = true
}

func (s *screen) erase() {
	if !s.drawn {
		return
	}
	s.drawn = false
	if _, err := s.out[toStderr].W.Write([]byte("\r\x1b[2K")); err != nil {
		s.dead[toStderr] = true
	}
}

// ReaderGone reports whether a write failed because nobody reads any more.
func ReaderGone(err error) bool {
	return errors.Is(err, syscall.EPIPE) || errors.Is(err, fs.ErrClosed)
}

// cause is the innermost sentence of an error of the operating system.
func cause(err error) string {
	var p *fs.PathError
	if errors.As(err, &p) {
		err = p.Err
	}
	return err.Error()
}
