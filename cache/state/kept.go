package state

import "github.com/haz-build/haz/fsys"

// maxKept is how many bytes such a file has at most.
const maxKept = 256 << 20

// Kept is what Keep has put under a name since the system was started; false when there is none, or it is damaged. told says that the
// system tells its starts apart: otherwise anybody who puts a workspace together can have made it.
func (s *State) Kept(name string) (payload []byte, told, ok bool) {
	payload, _ = s.readFrame(name, keptMagic, maxKept)
	return payload, payload != nil && s.told, payload != nil
}

// Keep puts bytes, which the pieces are one after the other, under a name in the place of what was there. Failing at that harms nothing.
func (s *State) Keep(name string, pieces ...[]byte) {
	size := 0
	for _, p := range pieces {
		size += len(p)
	}
	if size > maxKept {
		return
	}
	file := s.newFrame(size)
	for _, p := range pieces {
		file = append(file, p...)
	}
	_ = s.home.write(name, seal(keptMagic, file))
}

// Settled is whether from here on what looks like info, a file or the entries of a directory, cannot become other without that its stat
// does, which steady clocks have to show: it is old, as of stamp, and Steady (of which ask is the part that is up to FS.Unwritten).
func (s *State) Settled(name string, info fsys.Info, stamp int64) (settled, ask bool) {
	switch {
	case !s.oldEnough(name, info, stamp):
		return false, false
	case info.Kind == fsys.Dir: // nobody maps one
		return s.Tells(name, info, stamp), false
	case info.Kind == fsys.File:
		return s.steady(name, info, stamp)
	}
	return false, false
}
