package state

import (
	"encoding/binary"
	"slices"

	"github.com/haz-build/haz/fsys"
)

// The head of an index says on which mounts its rows were learned: their number (1 byte), and for each device, mount and use of
// the device (8 bytes each, as in fsys.Volume), and a byte of flags.
const (
	maxMounts = 255
	mountSize = 3*8 + 1

	flagTried = 1
	flagTells = 2
)

func appendMounts(b []byte, list []volume) []byte {
	list = list[:min(len(list), maxMounts)] // rows of the others count no more
	b = append(b, byte(len(list)))
	for i := range list {
		v := &list[i]
		for _, n := range [...]uint64{v.Dev, v.Mount, v.Super} {
			b = binary.LittleEndian.AppendUint64(b, n)
		}
		bits := byte(0)
		if v.tried {
			bits |= flagTried
		}
		if v.tells {
			bits |= flagTells
		}
		b = append(b, bits)
	}
	return b
}

func parseMounts(b []byte) (list []volume, rest []byte, ok bool) {
	if len(b) == 0 || len(b)-1 < int(b[0])*mountSize {
		return nil, nil, false
	}
	n := int(b[0])
	for b = b[1:]; n > 0; n-- {
		field := func(k int) uint64 { return binary.LittleEndian.Uint64(b[8*k:]) }
		list = append(list, volume{Volume: fsys.Volume{Dev: field(0), Mount: field(1), Super: field(2)},
			tried: b[24]&flagTried != 0, tells: b[24]&flagTells != 0})
		b = b[mountSize:]
	}
	return list, b, true
}

// mounts lists what an index that is written now says of mounts: those met, and those that its old rows are of and that were not
// met. void are the devices whose old rows count no more.
func (s *State) mounts(base *table, learned map[string]row) (list []volume, void []uint64) {
	for name, r := range learned {
		s.volume(name, r.info)
	}
	if seen := s.volumes.seen.Load(); seen != nil {
		list = slices.Clone(*seen)
	}
	for i := range list {
		if v := &list[i]; v.other || !v.believed() {
			void = append(void, v.Dev)
		}
	}
	for _, was := range base.volumes {
		if !slices.ContainsFunc(list, func(v volume) bool { return v.Dev == was.Dev }) {
			list = append(list, was)
		}
	}
	return list, void
}
