package report

import (
	"bytes"
	"encoding/binary"
	"io"
)

// blockMemory is how much of a held-back stream stays in memory (chapter 2, section 12); the rest is spooled.
const blockMemory = 64 << 10

// Spool is a temporary file: written once, then read from its start, then closed, which must remove it.
type Spool interface {
	io.ReadWriteSeeker
	io.Closer
}

// SpoolFactory makes an empty spool.
type SpoolFactory func() (Spool, error)

// block holds the output of a task back until it has ended: both streams, in the order in which they came, line by line. What is
// kept is a sequence of frames, each a header and bytes of one stream.
type block struct {
	spool SpoolFactory
	mem   []byte
	file  Spool
	rest  [2][]byte // of each stream, the line that is not whole yet
	open  [2]bool   // the last that was kept of it lacks its newline
	size  int64     // bytes of output
	kept  int64     // bytes of frames
	lost  int64     // bytes that found no place
	err   error     // why
}

// restMax is how long a line may be that is kept whole; of a longer one parts may stand between lines of the other stream.
const restMax = 64 << 10

// frameHeader is the stream, and the length in little endian.
const frameHeader = 5

// write takes bytes of a stream. Whole lines are kept at once, so that the other stream comes between lines only.
func (b *block) write(s int, p []byte) {
	b.size += int64(len(p))
	whole := bytes.LastIndexByte(p, '\n') + 1
	if whole == 0 && len(b.rest[s])+len(p) <= restMax {
		b.rest[s] = append(b.rest[s], p...)
		return
	}
	if whole == 0 || len(p)-whole > restMax {
		whole = len(p)
	}
	if len(b.rest[s]) > 0 {
		b.frame(s, b.rest[s])
		b.rest[s] = b.rest[s][:0]
	}
	b.frame(s, p[:whole])
	b.rest[s] = append(b.rest[s], p[whole:]...)
}

// end keeps the lines that lack a newline.
func (b *block) end() {
	for s := range b.rest {
		b.frame(s, b.rest[s])
		b.rest[s] = nil
	}
}

// endLines ends lines that lack a newline with one: what comes next is of another process.
func (b *block) endLines() {
	for s := range b.rest {
		if len(b.rest[s]) > 0 || b.open[s] {
			b.frame(s, append(b.rest[s], '\n'))
			b.rest[s] = b.rest[s][:0]
		}
	}
}

func (b *block) frame(s int, p []byte) {
	if len(p) == 0 {
		return
	}
	b.open[s] = p[len(p)-1] != '\n'
	if b.err != nil {
		b.lost += int64(len(p))
		return
	}
	header := [frameHeader]byte{byte(s)}
	binary.LittleEndian.PutUint32(header[1:], uint32(len(p)))
	b.keep(header[:], false)
	b.keep(p, true)
}

// keep appends to what is in memory, and behind that to the spool. Bytes of output that find no place are counted.
func (b *block) keep(p []byte, output bool) {
	was := len(p)
	if n := min(blockMemory-len(b.mem), len(p)); n > 0 && b.err == nil {
		b.mem = append(b.mem, p[:n]...)
		p = p[n:]
	}
	if len(p) > 0 && b.err == nil && b.file == nil {
		if b.spool == nil {
			b.spool = func() (Spool, error) { return nil, io.ErrShortBuffer }
		}
		if b.file, b.err = b.spool(); b.err != nil {
			b.file = nil
		}
	}
	if len(p) > 0 && b.err == nil {
		var n int
		n, b.err = b.file.Write(p)
		p = p[n:]
	}
	b.kept += int64(was - len(p))
	if output {
		b.lost += int64(len(p))
	}
}

// read hands on all that was kept, in order, in pieces.
func (b *block) read(emit func(s int, chunk []byte)) {
	from := io.Reader(bytes.NewReader(b.mem))
	if b.file != nil {
		if _, err := b.file.Seek(0, io.SeekStart); err != nil {
			b.err, b.lost = err, b.lost+b.kept-int64(len(b.mem))
		} else {
			from = io.MultiReader(from, b.file)
		}
	}
	buf := make([]byte, min(b.kept, blockMemory))
	for {
		var header [frameHeader]byte
		if _, err := io.ReadFull(from, header[:]); err != nil {
			b.unreadable(err)
			return
		}
		for left := int64(binary.LittleEndian.Uint32(header[1:])); left > 0; {
			n, err := io.ReadFull(from, buf[:min(left, int64(len(buf)))])
			if n > 0 {
				emit(int(header[0]&1), buf[:n])
			}
			if left -= int64(n); err != nil {
				b.unreadable(err)
				return
			}
		}
	}
}

// unreadable takes note of what could not be read back. A last frame that is not whole was lost when it was written.
func (b *block) unreadable(err error) {
	if err != io.EOF && err != io.ErrUnexpectedEOF {
		b.err, b.lost = err, b.lost+1
	}
}

func (b *block) close() {
	if b != nil && b.file != nil {
		_ = b.file.Close()
		b.file = nil
	}
}
