package state

import (
	"errors"
	"time"

	"github.com/haz-build/haz/fsys"
)

// Times that are fine (S-75): on such a file system what is not older than the racy window proves something as well, if only it is older at all.
//
// What makes an equal stat a proof is that whatever changes after a look at the clock (Stamp) has a later time than what was older than that look. This
// is so wherever the kernel gives out times in order, however coarse they are, and no change is under way meanwhile: of a file, since nobody has it open for
// writing (Steady), and of a folder, since it is locked while it changes. The window is for all else that may be: steps of the clock, after which a coarse time
// comes again, and kernels that give one file a fine time and then another one a coarse one, which is earlier. So a file system is asked, by trying, whether its times
// are too fine to come again, and in order whoever gets them. Linux has had such times since 6.13 (ext4, XFS, btrfs): who was looked at since its last change
// gets an exact one, and nobody gets an earlier one than was given out.

const (
	// tick is not longer than any kernel takes from one coarse time to the next.
	tick = int64(time.Millisecond)

	// tries is how many looks at the clock in a row have to show a later time, and orders how often it is tried whether times come in order.
	tries  = 8
	orders = 4

	timesName = "/times"
)

// oldEnough reports whether the times of what lies at a name, seen as info, are so much older than stamp that whatever changes from then on leaves others.
func (s *State) oldEnough(name string, info fsys.Info, stamp int64) bool {
	return oldEnough(info, stamp) || isBefore(info, stamp) && s.isFine(name, info)
}

// oldEnough reports whether both times of info lie the racy window before stamp.
func oldEnough(info fsys.Info, stamp int64) bool { return isBefore(info, stamp-int64(racyWindow)+1) }

// isBefore reports whether both times of info lie before stamp, which is known.
func isBefore(info fsys.Info, stamp int64) bool {
	return stamp > 0 && info.MTime < stamp && info.CTime < stamp
}

// isFine reports whether what lies at a name, seen as info, is on a file system with fine times. One of whole seconds may be of an inode that has room for no more.
func (s *State) isFine(name string, info fsys.Info) bool {
	if info.CTime%int64(time.Second) == 0 {
		return false
	}
	v := s.volume(name, info)
	return v.Times == fsys.TimesMarked && !v.Foreign && info.Dev == s.fineOn()
}

// tryFine is the device of .haz/state, if times are fine there; else 0, which is none that is believed.
func (s *State) tryFine() uint64 {
	was := s.Clock()
	if was.MTime == 0 || !s.isExact(was) {
		return 0
	}
	at := uint64(0)
	_ = s.home.inDir(func(d fsys.FS) error {
		if s.isInOrder(d) {
			at = was.Dev
		}
		return nil
	})
	return at
}

// isExact reports whether each look at the clock shows a later time than the one before, some of them in less time than a coarse one stays.
func (s *State) isExact(was fsys.Info) bool {
	short := 0
	for i := 0; i < tries || short < tries/2; i++ {
		now := s.Clock()
		if now.MTime <= was.MTime || now.CTime <= was.CTime || now.Dev != was.Dev || i > 2*tries {
			return false
		}
		if now.MTime-was.MTime < tick/4 {
			short++
		}
		was = now
	}
	return true
}

// isInOrder reports whether neither a file nor a folder that nobody has looked at since its last change gets an earlier time than the clock gave out before.
func (s *State) isInOrder(d fsys.FS) bool {
	for range orders {
		var stamp int64
		later := func(info fsys.Info, err error) bool {
			return err == nil && stamp > 0 && info.MTime >= stamp && info.CTime >= stamp
		}
		ok := false
		err := fsys.ReplaceFile(d, timesName, filePerm, func(f fsys.SyncWriter) error {
			t, timed := f.(timedFile)
			if _, err := f.Write([]byte{0}); err != nil || !timed {
				return errors.ErrUnsupported
			}
			stamp = s.Stamp()
			_, err := f.Write([]byte{0})
			ok = err == nil && later(t.Info())
			stamp = s.Stamp()
			return err
		})
		ok = ok && err == nil && later(d.Lstat("/"))
		if d.Remove(timesName) != nil || !ok {
			return false
		}
	}
	return true
}
