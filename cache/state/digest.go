package state

import (
	"context"
	"errors"
	"io"
	"sync"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/fsys"
)

// Read is a digest and what it is known for.
type Read struct {
	Digest digest.Digest
	// Info is the stat of the file as it was read, or trusted: a file that looks different by now has moved.
	Info fsys.Info
	// Sure says that a file which still looks like Info still has this digest. Otherwise it was too young when it was
	// read, or can be changed without a sign, and an equal stat proves nothing (S-23).
	Sure bool
}

// DigestFile is the digest of the bytes that name leads to (links are followed), through the stat index (S-26). info is
// what the caller's stat of name said (following links); a zero one makes DigestFile look itself. The Info returned is
// that of the file as it was read or trusted.
//
// The error is ctx.Err() or that of the file system: the name is gone, is no regular file, cannot be read.
func (s *State) DigestFile(ctx context.Context, name string, info fsys.Info) (digest.Digest, fsys.Info, error) {
	r, err := s.Digest(ctx, name, info)
	return r.Digest, r.Info, err
}

// Digest is DigestFile with all that is known.
func (s *State) Digest(ctx context.Context, name string, info fsys.Info) (Read, error) {
	return s.Moment().Digest(ctx, name, info)
}

// A Moment (S-64) is one look at the clock of the file system for many files, whose stats were all taken before the Moment was made. It is
// for one goroutine.
//
// It proves of each file what a look at the clock of its own would: what the stat says was so before the look, and what is read is read
// after it. Whoever writes to the file in between leaves another stat, which the opened file shows. A look before the stat would prove
// nothing: when the clock is set back in between, a file that has just been written looks old.
type Moment struct {
	s     *State
	taken bool
	stamp int64
}

// Moment makes one; the clock is looked at when the first file has to be read.
func (s *State) Moment() *Moment { return &Moment{s: s} }

func (m *Moment) at() int64 {
	if !m.taken {
		m.stamp, m.taken = m.s.Stamp(), true
	}
	return m.stamp
}

// after is at for something with that stat. Where it is the very time that the stat says, the clock is looked at once more: fine times (S-75) are later then.
func (m *Moment) after(info fsys.Info) int64 {
	if m.at() == info.CTime {
		m.stamp = m.s.Stamp()
	}
	return m.stamp
}

// Digest is State.Digest. For a zero info, a stat that is taken only now, it looks at the clock again.
func (m *Moment) Digest(ctx context.Context, name string, info fsys.Info) (Read, error) {
	s := m.s
	if info.Kind == fsys.Unknown {
		m = s.Moment()
		var err error
		f, at := s.at(name)
		if info, err = f.StatInfo(at); err != nil {
			return Read{}, err
		}
	}
	if info.Kind == fsys.File {
		if d, ok := s.known(name, info); ok {
			return Read{Digest: d, Info: info, Sure: true}, nil
		}
	}
	if err := ctx.Err(); err != nil {
		return Read{}, err
	}
	stamp := m.after(info) // and before the first byte is read
	steady, ask := false, false
	if s.oldEnough(name, info, stamp) {
		steady, ask = s.steady(name, info, stamp)
	}
	d, now, unwritten, err := s.readDigest(ctx, name, info.Size, ask)
	if err != nil {
		return Read{}, err
	}
	if !steady && !unwritten || !now.Same(info) {
		return Read{Digest: d, Info: now}, nil
	}
	s.RememberAt(name, now, d, stamp)
	return Read{Digest: d, Info: now, Sure: true}, nil
}

// readDigest reads the file. The Info is that of the opened file before its first byte: when it is written to meanwhile,
// no later look gives the same one, or it was too young to prove anything.
//
// unwritten is what FS.Unwritten says after that, and before the first byte: whoever has written by then has written what is
// read. false when it is not asked.
func (s *State) readDigest(ctx context.Context, name string, size int64, ask bool) (d digest.Digest, info fsys.Info, unwritten bool, err error) {
	from, name := s.at(name)
	if size <= smallFile {
		var data []byte
		if ask {
			data, info, unwritten, err = from.ReadUnwritten(name, smallFile)
		} else {
			data, info, err = from.ReadFile(name, smallFile)
		}
		if err == nil {
			return hasher.Sum(s.fn, data), info, unwritten, nil
		}
		// It has grown or shrunk since somebody looked: read it as it comes.
		if !errors.Is(err, fsys.ErrTooLong) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return d, info, false, err
		}
	}
	f, err := from.Open(name)
	if err != nil {
		return d, fsys.Info{}, false, err
	}
	defer f.Close()
	info, err = fsys.FileInfo(f)
	if err != nil {
		return d, info, false, err
	}
	if info.Kind != fsys.File {
		_, _, err := from.ReadFile(name, 1) // for the error that says what it is
		return d, info, false, err
	}
	unwritten = false
	if ask {
		at, ok := from.Unwritten(name)
		unwritten = ok && at.Same(info)
	}
	h := hasher.New(s.fn)
	buf := buffers.Get().(*[chunk]byte)
	defer buffers.Put(buf)
	for {
		if err := ctx.Err(); err != nil {
			return d, info, false, err
		}
		n, err := f.Read(buf[:])
		h.Write(buf[:n])
		switch {
		case err == io.EOF:
			return hasher.Of(h), info, unwritten, nil
		case err != nil:
			return d, info, false, err
		}
	}
}

var buffers = sync.Pool{New: func() any { return new([chunk]byte) }}
