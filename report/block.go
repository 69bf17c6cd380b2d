package report

import "io"

// blockMemory is how much of a held-back stream stays in memory (chapter 2, section 12); the rest is spooled.
const blockMemory = 64 << 10

// Spool is a temporary file: written once, then read from its start, then closed, which must remove it.
type Spool interface {
	io.ReadWriteSeeker
	io.Closer
}

// SpoolFactory makes an empty spool.
type SpoolFactory func() (Spool, error)

// block holds a stream back until its task has ended.
type block struct {
	spool SpoolFactory
	mem   []byte
	file  Spool
	size  int64
	lost  int64 // bytes that found no place
	err   error // why
}

func (b *block) write(p []byte) {
	if b.err != nil {
		b.lost += int64(len(p))
		return
	}
	b.size += int64(len(p))
	if n := min(blockMemory-len(b.mem), len(p)); n > 0 {
		b.mem = append(b.mem, p[:n]...)
		p = p[n:]
	}
	if len(p) == 0 {
		return
	}
	if b.file == nil {
		if b.spool == nil {
			b.spool = func() (Spool, error) { return nil, io.ErrShortBuffer }
		}
		if b.file, b.err = b.spool(); b.err != nil {
			b.file, b.lost = nil, b.lost+int64(len(p))
			return
		}
	}
	if n, err := b.file.Write(p); err != nil {
		b.err, b.lost = err, b.lost+int64(len(p)-n)
	}
}

// read hands on all that was kept, in order, in pieces.
func (b *block) read(emit func(chunk []byte)) {
	if len(b.mem) > 0 {
		emit(b.mem)
	}
	if b.file == nil {
		return
	}
	if _, err := b.file.Seek(0, io.SeekStart); err != nil {
		b.err, b.lost = err, b.lost+b.size-int64(len(b.mem))
		return
	}
	buf := make([]byte, 64<<10)
	for {
		n, err := b.file.Read(buf)
		if n > 0 {
			emit(buf[:n])
		}
		if err == io.EOF {
			return
		}
		if err != nil {
			b.err, b.lost = err, b.lost+1
			return
		}
	}
}

func (b *block) close() {
	if b != nil && b.file != nil {
		_ = b.file.Close()
		b.file = nil
	}
}
