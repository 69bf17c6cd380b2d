package state

import (
	"bytes"
	"hash"
	"io"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/cache/text"
)

// A record of a log is a text (chapter 2, 7.8): its second line names the task, its last but one says when it was made.
const (
	wordTask   = "task"
	wordMade   = "made"
	wordDigest = "digest"
)

const (
	// scanWindow is how much of a log is looked at in one piece.
	scanWindow = 128 << 10
	// maxTaskLine bounds the line that names the task, in bytes.
	maxTaskLine = 64 << 10
	// maxHead is more than any first line has, in bytes.
	maxHead = 64
)

// scanner finds the records in a part of a log. What is none is passed over: whatever was torn or damaged ends where the next first line
// stands, be it in the middle of a line, for no field of a record has a line feed in it. So each byte is looked at once, and memory is a
// window, whatever somebody has put there.
type scanner struct {
	kind string
	head []byte // how the first line of a record begins
	most int64  // bytes of a record; a longer one is none

	src      io.Reader
	buf      []byte // a window
	off      int64  // of buf in the file
	from, to int    // of what was not looked at, in buf
	inside   bool   // what is at from is not the beginning of a line

	at    int64 // where the record under way begins; -1: none
	task  string
	named bool // the task is
	fn    digest.Function
	sum   hash.Hash // of what of the record has left buf; nil: nothing
}

// scanLog looks at the bytes of f from one offset to another.
func scanLog(f io.ReaderAt, from, to int64, kind string, most int64) *scanner {
	return &scanner{kind: kind, head: []byte("haz " + kind + " "), most: most, src: io.NewSectionReader(f, from, to-from),
		buf: make([]byte, min(scanWindow, to-from+1)), off: from, at: -1}
}

// next finds the next record. The error is io.EOF when there is none.
func (s *scanner) next() (task string, at span, err error) {
	for {
		line, whole, err := s.line()
		if err != nil {
			return "", span{}, err
		}
		begins := !s.inside
		s.inside = !whole
		ends := s.ends(line, begins, whole)
		if s.from += len(line); ends {
			at := span{s.at, s.off + int64(s.from) - s.at}
			s.at = -1
			return s.task, at, nil
		}
	}
}

// line is the next line, or a piece of one that has more bytes than the window: not of its end, where a first line may stand.
func (s *scanner) line() (line []byte, whole bool, err error) {
	for {
		if i := bytes.IndexByte(s.buf[s.from:s.to], '\n'); i >= 0 {
			return s.buf[s.from : s.from+i+1], true, nil
		}
		if s.to == len(s.buf) && s.from == 0 {
			return s.buf[:s.to-maxHead], false, nil
		}
		s.shift()
		n, err := io.ReadFull(s.src, s.buf[s.to:])
		if s.to += n; n == 0 {
			return nil, false, err
		}
	}
}

// shift makes room in the window.
func (s *scanner) shift() {
	if s.at >= 0 {
		if s.sum == nil {
			s.sum = hasher.New(s.fn)
		}
		s.sum.Write(s.unsummed())
	}
	s.off += int64(s.from)
	s.from, s.to = 0, copy(s.buf, s.buf[s.from:s.to])
}

// unsummed are the bytes of the record under way that stand in the window before what is looked at.
func (s *scanner) unsummed() []byte { return s.buf[max(0, s.at-s.off):s.from] }

// ends reports whether a record ends with a line, or a piece of one.
func (s *scanner) ends(line []byte, begins, whole bool) bool {
	if n := s.headIn(line); whole && n > 0 {
		s.at, s.named, s.sum = s.off+int64(s.from+len(line)-n), false, nil
		return false
	}
	switch {
	case s.at < 0:
	case s.off+int64(s.from+len(line))-s.at > s.most:
		s.at = -1
	case !s.named:
		if s.named = whole && s.nameIn(line); !s.named {
			s.at = -1
		}
	case begins && whole && bytes.HasPrefix(line, []byte(wordDigest+" ")):
		if s.sealed(line) {
			return true
		}
		s.at = -1
	}
	return false
}

// headIn reports how many bytes the first line of a record has that a line ends with; 0 when it does not.
func (s *scanner) headIn(line []byte) int {
	line = line[max(0, len(line)-maxHead):]
	if n := len(line); n < 3 || line[n-3] != 'e' && line[n-3] != '5' { // of blake3, sha256: most lines are none
		return 0
	}
	i := bytes.LastIndex(line, s.head)
	if i < 0 {
		return 0
	}
	r := text.Read(line[i:])
	_, name := r.Head(s.kind)
	fn, known := digest.ParseFunction(name)
	if r.Err() != nil || !known {
		return 0
	}
	s.fn = fn
	return len(line) - i
}

// nameIn reads the line that names the task.
func (s *scanner) nameIn(line []byte) bool {
	r := text.Read(line)
	r.Line(wordTask)
	s.task = r.Str(maxTaskLine)
	return len(line) <= maxTaskLine && r.Err() == nil && !r.More()
}

// sealed reads the last line, and compares the digest in it with that of the lines before.
func (s *scanner) sealed(line []byte) bool {
	r := text.Read(line)
	r.Line(wordDigest)
	want := r.Digest()
	if r.Err() != nil || r.More() {
		return false
	}
	if s.sum == nil {
		return want == hasher.Sum(s.fn, s.unsummed())
	}
	s.sum.Write(s.unsummed())
	return want == hasher.Of(s.sum)
}
