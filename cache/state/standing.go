package state

import (
	"io"
	"slices"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/fsys"
)

// What tasks stood on when they were last found up to date is a file of its own, which package standing makes and reads. It is believed as the
// stat index is: it holds together, it is of this start of the system, and of a device it says as much as that is mounted as it was.

const maxStanding = 256 << 20 // bytes

// TellsStarts reports whether the system tells its starts apart. Where it does not, anybody who puts a workspace together can have made such a file.
func (s *State) TellsStarts() bool { return s.told }

func (s *State) standingName() string { return s.byFunction("standing") }

// Standing is that file without its head; nil where there is none to be believed. mounts says of what was seen on a device whether that is still
// mounted as it was when the file was written, and on a file system whose stats say something.
func (s *State) Standing() (payload []byte, mounts Mounts) {
	payload, err := s.readFrame(s.standingName(), standingMagic, maxStanding)
	if err != nil {
		s.note(couldNotRead, s.standingName(), err)
	}
	list, payload, ok := parseMounts(payload)
	if !ok {
		return nil, Mounts{}
	}
	return payload, Mounts{s: s, list: list}
}

// WriteStanding replaces the file. devices are those that the payload speaks of, with the name of something that lies there.
func (s *State) WriteStanding(payload []byte, devices map[uint64]string) {
	if s.home.readOnly || len(devices) > maxMounts {
		return
	}
	var list []volume
	for dev, name := range devices {
		if v := s.volume(name, fsys.Info{Dev: dev}); v.Dev == dev && v.believed() {
			list = append(list, v)
		}
	}
	file := seal(standingMagic, append(appendMounts(s.newFrame(1+len(list)*mountSize+len(payload)), list), payload...))
	if len(file) > maxStanding {
		return
	}
	if err := s.home.write(s.standingName(), file); err != nil {
		s.note(couldNotWrite, s.standingName(), err)
	}
}

// Mounts are the mounts on which something was seen that was written down.
type Mounts struct {
	s    *State
	list []volume
}

// Stand reports whether a device is mounted as it was; name is something that lies there now.
func (m *Mounts) Stand(dev uint64, name string) bool {
	at := slices.IndexFunc(m.list, func(v volume) bool { return v.Dev == dev })
	if at < 0 {
		return false
	}
	was := &m.list[at]
	v, err := m.s.ws.Volume("/")
	if err != nil || v.Dev != dev {
		v, err = m.s.ws.Volume(name)
	}
	if err != nil || v.Dev != dev {
		return false
	}
	now := volume{Volume: v, tried: was.tried, tells: was.tells}
	return now.IsMountOf(was.Volume) && now.believed()
}

// Tells reports whether an equal stat of what lies at a name, seen as info, proves that nothing happened there: on its file system times tell, they can
// be compared with those of the clock, and they are older by the racy window than stamp.
func (s *State) Tells(name string, info fsys.Info, stamp int64) bool {
	v := s.volume(name, info)
	return v.believed() && s.isTimed(&v) && s.oldEnough(name, info, stamp)
}

// Proven reports whether the stat index proves that the file name, seen as info, has the digest.
func (s *State) Proven(name string, info fsys.Info, d digest.Digest) bool {
	known, ok := s.known(name, info)
	return ok && known == d
}

// Place is where a product list lies in its log: another one of the task lies elsewhere.
type Place struct{ Off, Size int64 }

// ProductsPlace is the product list of a task, and where it lies.
func (s *State) ProductsPlace(task string) (Products, Place) {
	l, at, _ := s.readProducts(task)
	return l, Place{at.off, at.size}
}

// A ProductLog tells the log of product lists as it was at some time from what it becomes.
type ProductLog struct {
	Inode, Dev   uint64
	Size         int64
	MTime, CTime int64
}

// ProductLog looks at the log, and says where the lists of tasks lie by then; a zero Place where there is none.
func (s *State) ProductLog(tasks []string) (ProductLog, []Place) {
	places := make([]Place, len(tasks))
	log := ProductLog{}
	s.products.look(tasks, func(i int, at span) { places[i] = Place{at.off, at.size} }, func(info fsys.Info, size int64) {
		log = ProductLog{info.Inode, info.Dev, size, info.MTime, info.CTime}
	})
	return log, places
}

// ProductsSince visits the tasks that were given product lists after the log was as was. ok is false where that cannot be told, because the log was
// rewritten or cut off, or something in it is damaged, so that older lists count.
func (s *State) ProductsSince(was ProductLog, visit func(task string)) (ok bool) {
	d, err := s.home.open()
	if err != nil {
		return false
	}
	info, err := d.Lstat("/" + producedName)
	switch {
	case err != nil || info.Kind != fsys.File || info.Inode != was.Inode || info.Dev != was.Dev || info.Size < was.Size:
		return false
	case info.Size == was.Size && info.MTime == was.MTime && info.CTime == was.CTime:
		return true
	}
	f, err := d.Open("/" + producedName)
	if err != nil {
		return false
	}
	defer f.Close()
	if now, err := fsys.FileInfo(f); err != nil || now.Inode != was.Inode || now.Dev != was.Dev {
		return false
	}
	end := int64(0) // of what is whole, from the beginning on
	for found := scanLog(f, 0, info.Size, s.products.kind, s.products.most); ; {
		task, at, err := found.next()
		switch {
		case err == io.EOF:
			return end >= was.Size
		case err != nil || at.off > end && end < was.Size:
			return false
		}
		if end = at.off + at.size; at.off >= was.Size {
			visit(task)
		}
	}
}
