package site

import (
	"context"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"sync"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/fsys"
)

// SmallFile is up to where a file is read, digested and written in one piece.
const SmallFile = 64 << 10

var (
	smallBuffers = sync.Pool{New: func() any { return new([SmallFile]byte) }}
	bigBuffers   = sync.Pool{New: func() any { return new([2 * chunk]byte) }}
)

// transfer copies exactly size bytes from src to dst, or only reads them where dst is nil, and returns their digest. A
// source that ends earlier is io.ErrUnexpectedEOF; whether it goes on is for the caller to ask. The context is looked at
// between chunks.
func transfer(ctx context.Context, dst io.Writer, src io.Reader, size int64, fn digest.Function) (digest.Digest, error) {
	if size <= SmallFile {
		buf := smallBuffers.Get().(*[SmallFile]byte)
		defer smallBuffers.Put(buf)
		b := buf[:size]
		if _, err := io.ReadFull(src, b); err != nil {
			return digest.Digest{}, endedEarly(err)
		}
		if dst != nil && size > 0 {
			if err := WriteAll(dst, b); err != nil {
				return digest.Digest{}, err
			}
		}
		return hasher.Sum(fn, b), nil
	}
	buf := bigBuffers.Get().(*[2 * chunk]byte)
	defer bigBuffers.Put(buf)
	h := newHashing(fn)
	defer h.stop()
	for at := 0; size > 0; at = chunk - at {
		if err := ctx.Err(); err != nil {
			return digest.Digest{}, err
		}
		b := buf[at : at+int(min(size, chunk))]
		if _, err := io.ReadFull(src, b); err != nil {
			return digest.Digest{}, endedEarly(err)
		}
		h.add(b) // waits until the chunk before is digested, so its half of the buffer is free
		if dst != nil {
			if err := WriteAll(dst, b); err != nil {
				return digest.Digest{}, err
			}
		}
		size -= int64(len(b))
	}
	return h.sum(), nil
}

func endedEarly(err error) error {
	if err == io.EOF {
		return io.ErrUnexpectedEOF
	}
	return err
}

func WriteAll(w io.Writer, b []byte) error {
	n, err := w.Write(b)
	if err == nil && n < len(b) {
		err = io.ErrShortWrite
	}
	if err != nil {
		return &WriteError{err}
	}
	return nil
}

// A WriteError says that a copy failed at its destination, not at its source.
type WriteError struct{ Err error }

func (e *WriteError) Error() string { return e.Err.Error() }
func (e *WriteError) Unwrap() error { return e.Err }

// hashing digests one chunk while the next one is read and this one is written.
type hashing struct {
	h      hash.Hash
	todo   chan []byte
	ended  chan struct{}
	panics Carrier
}

func newHashing(fn digest.Function) *hashing {
	g := &hashing{h: hasher.New(fn), todo: make(chan []byte), ended: make(chan struct{})}
	go func() {
		defer close(g.ended)
		for b := range g.todo {
			g.write(b)
		}
	}()
	return g
}

// write goes on taking chunks after a panic: whoever adds them must not wait for ever.
func (g *hashing) write(b []byte) {
	defer g.panics.Catch()
	g.h.Write(b)
}

func (g *hashing) add(b []byte) { g.todo <- b }

func (g *hashing) stop() {
	if g.todo != nil {
		close(g.todo)
		<-g.ended
		g.todo = nil
	}
}

func (g *hashing) sum() digest.Digest {
	g.stop()
	g.panics.Rethrow()
	return hasher.Of(g.h)
}

// WriteFile makes the file name, which must not exist, of size bytes of src. A half-written file is removed.
func WriteFile(ctx context.Context, fsy fsys.FS, name string, perm fs.FileMode, src io.Reader, size int64, fn digest.Function) (digest.Digest, fsys.Info, error) {
	return writeNew(fsy, name, perm, size, func(dst io.Writer) (digest.Digest, error) { return transfer(ctx, dst, src, size, fn) })
}

// CopyFile is WriteFile of the file src in from, no link, which must have size bytes (fsys.ErrOtherSize, or io.ErrUnexpectedEOF).
func CopyFile(ctx context.Context, from fsys.FS, src string, fsy fsys.FS, name string, perm fs.FileMode, size int64, fn digest.Function) (digest.Digest, fsys.Info, error) {
	return writeNew(fsy, name, perm, size, func(dst io.Writer) (digest.Digest, error) { return transferFile(ctx, dst, from, src, size, fn) })
}

// Fill is CopyFile to a file that is open already, and has nothing in it.
func Fill(ctx context.Context, from fsys.FS, src string, dst fsys.Unnamed, size int64, fn digest.Function) (d digest.Digest, info fsys.Info, err error) {
	if d, err = transferFile(ctx, dst, from, src, size, fn); err == nil {
		info, err = written(dst.Info, size)
	}
	return d, info, err
}

// FillWith is Fill with bytes that are known.
func FillWith(dst fsys.Unnamed, b []byte) (fsys.Info, error) {
	if len(b) > 0 {
		if err := WriteAll(dst, b); err != nil {
			return fsys.Info{}, err
		}
	}
	return written(dst.Info, int64(len(b)))
}

func writeNew(fsy fsys.FS, name string, perm fs.FileMode, size int64, fill func(dst io.Writer) (digest.Digest, error)) (d digest.Digest, info fsys.Info, err error) {
	f, err := fsy.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
	if err != nil {
		return d, info, &WriteError{err}
	}
	if d, err = fill(f); err == nil {
		info, err = written(func() (fsys.Info, error) { return fsys.FileInfo(f) }, size)
	}
	if closeErr := f.Close(); err == nil && closeErr != nil {
		err = &WriteError{closeErr}
	}
	if err != nil {
		_ = fsy.Remove(name)
	}
	return d, info, err
}

// written looks at a file to which size bytes were written.
func written(look func() (fsys.Info, error), size int64) (fsys.Info, error) {
	info, err := look()
	if err == nil && info.Size != size {
		err = fmt.Errorf("%d of %d bytes were written", info.Size, size)
	}
	if err != nil {
		err = &WriteError{err}
	}
	return info, err
}

// transferFile is transfer of a file that must have size bytes. A small one is read in one piece.
func transferFile(ctx context.Context, dst io.Writer, from fsys.FS, src string, size int64, fn digest.Function) (digest.Digest, error) {
	if size <= SmallFile {
		buf := smallBuffers.Get().(*[SmallFile]byte)
		defer smallBuffers.Put(buf)
		b := buf[:size]
		if _, err := fsys.ReadExact(from, src, b); err != nil {
			return digest.Digest{}, err
		}
		if size > 0 {
			if err := WriteAll(dst, b); err != nil {
				return digest.Digest{}, err
			}
		}
		return hasher.Sum(fn, b), nil
	}
	f, err := from.OpenNoFollow(src)
	if err != nil {
		return digest.Digest{}, err
	}
	defer f.Close()
	info, err := fsys.FileInfo(f)
	if err == nil && info.Size != size {
		err = &fs.PathError{Op: "read", Path: src, Err: fsys.ErrOtherSize}
	}
	if err != nil {
		return digest.Digest{}, err
	}
	return transfer(ctx, dst, f, size, fn)
}

// digestFile is the digest of a file that must have size bytes. It is read through over, unless that is nil.
func digestFile(ctx context.Context, fsy fsys.FS, name string, size int64, fn digest.Function, over func(io.Reader) io.Reader) (d digest.Digest, info fsys.Info, err error) {
	f, err := fsy.OpenNoFollow(name)
	if err != nil {
		return d, info, err
	}
	defer f.Close()
	if info, err = fsys.FileInfo(f); err != nil {
		return d, info, err
	}
	if info.Size != size {
		return d, info, fmt.Errorf("size %d, expected %d", info.Size, size)
	}
	var src io.Reader = f
	if over != nil {
		src = over(f)
	}
	d, err = transfer(ctx, nil, src, size, fn)
	return d, info, err
}

// CloneFile makes dst share the storage of src, both names in the workspace, and digests what it made: reading is half of
// a copy. ok is false when nothing was made and the caller has to copy. A file system that refused once is not asked again.
func (s *Site) CloneFile(ctx context.Context, src, dst string, perm fs.FileMode, size int64, over func(io.Reader) io.Reader) (d digest.Digest, info fsys.Info, ok bool) {
	if size <= SmallFile || s.NoClone.Load() {
		return d, info, false
	}
	if s.WS.CloneFile(src, dst, perm) != nil {
		s.NoClone.Store(true)
		return d, info, false
	}
	d, info, err := digestFile(ctx, s.WS, dst, size, s.Hash, over)
	if err != nil {
		_ = s.WS.Remove(dst)
		return d, info, false
	}
	return d, info, true
}

// ErrOther says that a source does not hold what it should.
var ErrOther = errors.New("not what was recorded")

func IsWriteError(err error) bool {
	var w *WriteError
	return errors.As(err, &w)
}
