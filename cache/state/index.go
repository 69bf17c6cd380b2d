package state

import (
	"errors"
	"io/fs"
	"slices"
	"sync"
	"sync/atomic"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/fsys"
)

// index is the stat index (S-26): path → stat and digest, of files in the workspace, and of programs on the machine (MachineName). It only saves reading; with it lost or damaged every digest is
// the same.
//
// A row proves that a file's bytes have the digest when the stat is equal in all fields, and mtime and ctime are older by
// the racy window (S-26, S-75) than recorded-at, the file system's time before the bytes were read: then whatever wrote to the file
// after that has left a later time. The idea is git's index, whose rows become racy in the same way; asking the file
// system for the time, instead of the machine, is what makes it hold on network file systems and with clocks that are set.
//
// All that holds where an equal stat says something at all (Steady), which is looked at before the bytes are read.
//
// A power cut may leave a file with its stat and without its bytes, where the file system writes the one before the other; and a
// disk may go away and come back as it was earlier. So an index of before the last start of the system proves nothing, and a row
// nothing of a file on another mount than that on which it was learned (volume.other).
type index struct {
	once sync.Once
	base *table // what was on disk; immutable

	mu      sync.RWMutex
	learned map[string]row // this run's rows, which win over base
	count   atomic.Int64   // len(learned); lets a run that learns nothing do without the lock
	dirty   bool           // something was learned that is not on disk
}

// row is what is known of one file.
type row struct {
	info     fsys.Info // Perm and Nlink are not kept
	digest   digest.Digest
	recorded int64 // time of the file system before the bytes were read, in nanoseconds; 0 when unknown
}

// proves reports whether a file that looks like info has the row's digest. Whether it was old enough was judged when the row was made.
func (r *row) proves(info fsys.Info) bool { return r.info.Same(info) && isBefore(info, r.recorded) }

// table returns the rows on disk, read on first use.
func (s *State) table() *table {
	s.index.once.Do(func() { s.index.base = s.loadIndex() })
	return s.index.base
}

func (s *State) indexName() string { return s.byFunction("index") }

func (s *State) loadIndex() *table {
	payload, err := s.readFrame(s.indexName(), indexMagic, maxIndex)
	if err != nil {
		s.note(couldNotRead, s.indexName(), err)
	}
	mounts, payload, ok := parseMounts(payload)
	if !ok {
		return &table{}
	}
	t, ok := parseTable(payload, s.fn)
	if !ok {
		return &table{}
	}
	t.volumes = mounts
	return t
}

// known returns the digest that the index proves for name.
func (s *State) known(name string, info fsys.Info) (digest.Digest, bool) {
	if s.index.count.Load() > 0 {
		s.index.mu.RLock()
		r, ok := s.index.learned[name]
		s.index.mu.RUnlock()
		if ok && r.proves(info) {
			return r.digest, true
		}
	}
	t := s.table()
	i := t.find(name)
	if i < 0 {
		return digest.Digest{}, false
	}
	r := t.row(i)
	return r.digest, r.proves(info) && s.vouched(name, info)
}

// RememberAt puts a digest that the caller computed into the index. info is the stat of the file as it was read, stamp what
// Stamp returned before the first byte was read; the file was Steady by then. A row that could prove nothing is not kept.
func (s *State) RememberAt(name string, info fsys.Info, d digest.Digest, stamp int64) {
	if info.Kind != fsys.File {
		return
	}
	if !s.oldEnough(name, info, stamp) {
		return
	}
	s.index.mu.Lock()
	defer s.index.mu.Unlock()
	if s.index.learned == nil {
		s.index.learned = map[string]row{}
	}
	s.index.learned[name] = row{info: info, digest: d, recorded: stamp}
	s.index.count.Store(int64(len(s.index.learned)))
	s.index.dirty = true
}

// flushIndex replaces the index on disk with what was there when this run began and what it has learned. Losing what
// another haz has written meanwhile is harmless.
func (s *State) flushIndex() {
	x := &s.index
	x.mu.Lock()
	defer x.mu.Unlock()
	if !x.dirty || s.home.readOnly {
		return
	}
	base := s.table()
	names := make([]string, 0, len(x.learned))
	size := tableHead + len(base.rows) + len(base.paths)
	for name := range x.learned {
		names = append(names, name)
		size += rowSize + len(name)
	}
	slices.Sort(names)
	gone, cursor := s.vanished(base, len(names))
	mounts, void := s.mounts(base, x.learned)
	gone = base.without(void, gone)
	payload := s.newFrame(1 + len(mounts)*mountSize + size)
	payload = appendMounts(payload, mounts)
	file := seal(indexMagic, appendTable(payload, s.fn, cursor, base, gone, names, x.learned))
	if err := s.home.write(s.indexName(), file); err != nil {
		s.note(couldNotWrite, s.indexName(), err)
		return
	}
	x.dirty = false
}

// vanished looks at a part of the old rows, and returns those whose file is gone, and where the next flush goes on. Two old
// rows for each new one, and a few more: so the index holds never much more than twice what there is, and no flush has to
// look at everything.
func (s *State) vanished(t *table, learned int) (gone map[int]bool, cursor int) {
	n := t.len()
	if n == 0 {
		return nil, 0
	}
	at := t.cursor % n
	for range min(n, 2*learned+32) {
		from, name := s.at(t.name(at))
		if _, err := from.StatInfo(name); errors.Is(err, fs.ErrNotExist) {
			if gone == nil {
				gone = map[int]bool{}
			}
			gone[at] = true
		}
		at = (at + 1) % n
	}
	cursor = at
	for i := range gone {
		if i < at {
			cursor-- // the rows behind move up
		}
	}
	return gone, cursor
}
