package looks

import (
	"crypto/sha256"
	"errors"
	"runtime"
	"slices"
	"sync/atomic"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/parallel"
)

// Seen reports whether all would be seen again, and how many contents had to be read to tell. Where proven says so, contents are never
// read: each must have a stat that proves it, and there must be such contents.
func (l *List) Seen(d Disks, proven bool) (ok bool, read int) {
	trusted := l.trusted(d)
	var reads, proofs atomic.Int64
	ok = each(len(l.looks), func(i int) bool {
		k := &l.looks[i]
		switch {
		case !k.kind.hasContents() || k.err != none:
			return k.again(d) == k.answer
		case slices.Contains(trusted, k.proven.Dev) && k.looksProven(d):
			proofs.Add(1)
			return true
		case proven:
			return false
		}
		reads.Add(1)
		return k.again(d) == k.answer
	})
	return ok && (!proven || proofs.Load() > 0), int(reads.Load())
}

// trusted are the devices whose file systems are the same uses of them as when something on them was proven.
func (l *List) trusted(d Disks) (devs []uint64) {
	for _, m := range l.mounts {
		if v, err := d[m.disk].Volume(m.name); err == nil && v.Dev == m.volume.Dev && v.IsMountOf(m.volume) {
			devs = append(devs, v.Dev)
		}
	}
	return devs
}

// looksProven reports whether what lies there has the stat that proves its contents.
func (k *look) looksProven(d Disks) bool {
	if k.proven.Kind == fsys.Unknown {
		return false
	}
	info, err := d[k.disk].StatInfo(k.name)
	return err == nil && info.Same(k.proven)
}

// again looks once more.
func (k *look) again(d Disks) (a answer) {
	f := d[k.disk]
	var err error
	switch k.kind {
	case lstat:
		a.info, err = f.Lstat(k.name)
		a.info = given(a.info)
	case stat:
		a.info, err = f.StatInfo(k.name)
		a.info = given(a.info)
	case readlink:
		a.text, err = f.Readlink(k.name)
	case realPath, ownPath:
		a.text, err = k.kind.realPath(f, k.name)
	case list:
		var entries []fsys.Entry
		entries, err = f.List(k.name)
		a.sum = sumOfEntries(entries)
	case read:
		var data []byte
		data, _, err = f.ReadFile(k.name, k.limit)
		a.sum = sha256.Sum256(data)
	case readStart:
		a, err = k.start(f)
	}
	return answered(a, err)
}

// answered is an answer with its error; one that is none equals no answer.
func answered(a answer, err error) answer {
	t, known := troubleOf(err)
	if !known {
		return answer{err: troubles}
	}
	if t != none {
		return answer{err: t}
	}
	return a
}

func (k *look) start(f fsys.FS) (a answer, err error) {
	into := make([]byte, k.limit)
	n, whole, err := f.ReadStart(k.name, into)
	a.sum = sumOfStart(into[:n], whole)
	return a, err
}

// A Judge knows of file systems what their times tell.
type Judge interface {
	// Stamp is the time of the file system now; 0 when it does not tell.
	Stamp() int64
	// Settled reports whether what looks like info, and is read from now on, cannot change without that it looks different; ask says that
	// this is up to FS.Unwritten.
	Settled(disk Disk, name string, info fsys.Info, stamp int64) (settled, ask bool)
}

// errChanged ends a proof.
var errChanged = errors.New("something is another than it was")

// Prove reads contents again, and keeps the stats that from now on tell that they are the same. What is too young to be told so, or lies
// where times do not tell, is left unproven. Known are looks that were proven before, or nil: what looks as it did then is not read.
// The error says that something changed since it was looked at: then nothing may be kept.
func (l *List) Prove(d Disks, j Judge, known *List) error {
	stamp := j.Stamp()
	var trusted []uint64
	if known != nil {
		trusted = known.trusted(d)
		l.mounts = slices.DeleteFunc(slices.Clone(known.mounts), func(m mount) bool { return !slices.Contains(trusted, m.volume.Dev) })
	}
	ok := each(len(l.looks), func(i int) bool {
		k := &l.looks[i]
		if !k.kind.hasContents() || k.err != none {
			return true
		}
		if was := known.find(k.asked); was != nil && was.answer == k.answer && slices.Contains(trusted, was.proven.Dev) && was.looksProven(d) {
			k.proven = was.proven
			return true
		}
		return k.prove(d, j, stamp)
	})
	if !ok {
		return errChanged
	}
	l.meet(d)
	return nil
}

// find is a look of the list; nil when it has none, or there is no list.
func (l *List) find(q asked) *look {
	if l == nil {
		return nil
	}
	i, found := slices.BinarySearchFunc(l.looks, q, func(k look, q asked) int { return k.asked.compare(q) })
	if !found {
		return nil
	}
	return &l.looks[i]
}

// prove reads contents once more, and reports whether they are the same.
//
// The time is taken before the stat, and that before the contents: whoever changes these after the stat leaves a later time than that of
// anything which is old by then.
func (k *look) prove(d Disks, j Judge, stamp int64) bool {
	k.proven = fsys.Info{}
	f := d[k.disk]
	info, err := f.StatInfo(k.name)
	if err != nil {
		return false
	}
	settled, ask := j.Settled(k.disk, k.name, info, stamp)
	if ask {
		at, unwritten := f.Unwritten(k.name)
		settled = unwritten && at.Same(info)
	}
	if k.again(d) != k.answer {
		return false
	}
	if settled {
		k.proven = info
	}
	return true
}

// meet notes of which mounts the proven stats are.
func (l *List) meet(d Disks) {
	var met []uint64
	for _, m := range l.mounts {
		met = append(met, m.volume.Dev)
	}
	for i := range l.looks {
		k := &l.looks[i]
		if k.proven.Kind == fsys.Unknown || slices.Contains(met, k.proven.Dev) {
			continue
		}
		met = append(met, k.proven.Dev) // what is not known to be the same is not trusted
		if v, err := d[k.disk].Volume(k.name); err == nil && v.Dev == k.proven.Dev {
			l.mounts = append(l.mounts, mount{k.disk, k.name, v})
		}
	}
}

// each calls do for 0 … n-1 side by side, until one says no. A panic in do, which asks the file system of a host, comes out here.
func each(n int, do func(i int) bool) bool {
	return parallel.Pieces(n, 64, min(runtime.GOMAXPROCS(0), 8), func(from, to int) bool {
		for i := from; i < to; i++ {
			if !do(i) {
				return false
			}
		}
		return true
	})
}
