package state

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/haz-build/haz/fsys"
)

// writeBack is how long a page of a file that somebody holds mapped can stay writable without a sign from its first write on: the
// kernel writes such a page back after half a minute, a disk that has much to do a few minutes later.
const writeBack = 5 * time.Minute

// volumes is what is known of the file systems on which files lie, by device. They are few.
type volumes struct {
	mu   sync.Mutex
	seen atomic.Pointer[[]volume]

	once  sync.Once
	clock fsys.Volume // that of .haz/state
}

type volume struct {
	fsys.Volume
	tried, tells bool // MappingTells

	// other says that this is not the mount of which the index on disk has rows for the device, if any. Bytes may be others under
	// a stat that came back (a disk that lost its last writes, or was put back), so those rows prove nothing.
	other bool
}

// volume is what is known of the file system of the file name, seen as info; that of a name which cannot be looked at proves
// nothing.
func (s *State) volume(name string, info fsys.Info) volume {
	if seen := s.volumes.seen.Load(); seen != nil {
		for i := range *seen {
			if v := &(*seen)[i]; v.Dev == info.Dev {
				return *v
			}
		}
	}
	return s.meet(name, info.Dev)
}

// meet looks at a file system that was not met before.
func (s *State) meet(name string, dev uint64) volume {
	s.volumes.mu.Lock()
	defer s.volumes.mu.Unlock()
	var list []volume
	if seen := s.volumes.seen.Load(); seen != nil {
		list = *seen
	}
	for i := range list {
		if list[i].Dev == dev {
			return list[i]
		}
	}
	v, err := s.ws.Volume("/")
	if err != nil || v.Dev != dev {
		from, at := s.at(name)
		v, err = from.Volume(at)
	}
	if err != nil || v.Dev != dev {
		return volume{}
	}
	met := volume{Volume: v, other: true}
	for _, was := range s.table().volumes {
		if was.Dev == dev {
			met.other = !met.IsMountOf(was.Volume)
			if !met.other {
				met.tried, met.tells = was.tried, was.tells
			}
		}
	}
	if v.Times == fsys.TimesLayered && !met.tried {
		s.try(&met)
	}
	list = append(list[:len(list):len(list)], met)
	s.volumes.seen.Store(&list)
	return met
}

// try finds out what the times of a layered file system tell. That takes a file on it, so it must be the one of .haz/state. (Its
// layers may have devices of their own.)
func (s *State) try(v *volume) {
	_ = s.home.inDir(func(d fsys.FS) error {
		at, err := d.Volume("/")
		if err != nil || at.Dev != v.Dev && (at.Mount == 0 || at.Mount != v.Mount) {
			return err
		}
		v.tried = true
		v.tells, err = d.MappingTells("/")
		return err
	})
}

// isTimed reports whether the clock of .haz/state, where the time now is taken from, can be compared with the times of v. They are
// two file systems when the state lies in a place of its own.
func (s *State) isTimed(v *volume) bool {
	s.volumes.once.Do(func() {
		s.volumes.clock = fsys.Volume{Foreign: true}
		_ = s.home.inDir(func(d fsys.FS) error {
			at, err := d.Volume("/")
			if err == nil {
				s.volumes.clock = at
			}
			return err
		})
	})
	clock := &s.volumes.clock
	return !v.Foreign && !clock.Foreign || v.Dev == clock.Dev
}

// vouched reports whether the rows that the index on disk has for the file name, seen as info, count.
func (s *State) vouched(name string, info fsys.Info) bool {
	v := s.volume(name, info)
	return !v.other && v.believed()
}

// Believes reports whether an equal stat of the file name, seen as info, says anything about its bytes.
func (s *State) Believes(name string, info fsys.Info) bool {
	v := s.volume(name, info)
	return v.believed()
}

func (v *volume) believed() bool {
	return v.Times == fsys.TimesMarked || v.Times == fsys.TimesExact || v.Times == fsys.TimesLayered && v.tells
}

// Steady reports whether from here on nobody can change the bytes of the file name, seen as info, without that its stat becomes
// another one; stamp is the time now. It does not say that the one which changes them at once leaves another stat: clocks have
// steps.
//
// A mapping is the trouble. Where its writes leave no sign at all, no file is steady; elsewhere one is when nobody has it open or
// mapped for writing, or when all that was written through a mapping before has been written back.
func (s *State) Steady(name string, info fsys.Info, stamp int64) bool {
	steady, ask := s.steady(name, info, stamp)
	if !steady && ask {
		from, name := s.at(name)
		at, unwritten := from.Unwritten(name)
		return unwritten && at.Same(info)
	}
	return steady
}

// steady is Steady without a look at the file: ask says that it is up to Unwritten.
func (s *State) steady(name string, info fsys.Info, stamp int64) (steady, ask bool) {
	writtenBack := info.CTime <= stamp-int64(writeBack)
	v := s.volume(name, info)
	if !s.isTimed(&v) {
		return false, false
	}
	switch v.Times {
	case fsys.TimesExact:
		return true, false
	case fsys.TimesLayered:
		return v.tells && writtenBack, false
	case fsys.TimesMarked:
		return writtenBack, !writtenBack
	}
	return false, false
}
