package memfs

import (
	"io"
	"io/fs"
	"time"

	"github.com/haz-build/haz/fsys"
)

// What tests need to know of times: a file system whose times tell less, and writers that hold a file mapped.

// volume is what FS.Volume says, and how its files behave.
type volume struct {
	fsys.Volume
	tells bool // MappingTells
}

// SetVolume says what kind of file system this is, as Volume tells it, and how it behaves: on TimesLoose no write through a
// mapping moves a time, on TimesMarked the first one of a mapping, and then the first one after half a minute, on TimesExact each;
// on TimesLayered it is as on TimesMarked if mappingTells, else as on TimesLoose, and Unwritten does not see mappings. The device
// stays what it was.
func (m *FS) SetVolume(v fsys.Volume, mappingTells bool) {
	m.tree.mu.Lock()
	defer m.tree.mu.Unlock()
	v.Dev = device
	m.tree.volume = volume{v, mappingTells}
}

func (m *FS) Volume(name string) (fsys.Volume, error) {
	w, err := m.look(name, followsLink)
	if err != nil || w.node == nil {
		return fsys.Volume{}, pathError("statfs", fsys.Clean(name), err)
	}
	m.tree.mu.RLock()
	defer m.tree.mu.RUnlock()
	return m.tree.volume.Volume, nil
}

func (m *FS) Unwritten(name string) (fsys.Info, bool) {
	w, err := m.look(name, followsLink)
	if err != nil || w.node == nil {
		return fsys.Info{}, false
	}
	m.tree.mu.RLock()
	defer m.tree.mu.RUnlock()
	n := w.node
	return n.info(), n.isFile() && n.writers == 0 && (n.mapped == 0 || m.tree.volume.Times == fsys.TimesLayered)
}

func (m *FS) ReadUnwritten(name string, limit int64) ([]byte, fsys.Info, bool, error) {
	_, unwritten := m.Unwritten(name)
	data, info, err := m.ReadFile(name, limit)
	return data, info, unwritten, err
}

func (m *FS) MappingTells(string) (bool, error) {
	m.tree.mu.RLock()
	defer m.tree.mu.RUnlock()
	return m.tree.volume.tells, nil
}

// writeBack is how long a page stays writable without a sign, in nanoseconds.
const writeBack = int64(30 * time.Second)

// Mapping is a file that somebody holds mapped and writes to (mmap with MAP_SHARED), whether its file is open or not.
type Mapping struct {
	tree   *tree
	node   *node
	until  int64 // when the system writes back what was written, after which the next write leaves a sign
	closed bool
}

// Map maps the file that name leads to.
func (m *FS) Map(name string) (*Mapping, error) {
	w, err := m.look(name, followsLink)
	switch {
	case err != nil:
		return nil, pathError("mmap", fsys.Clean(name), err)
	case w.node == nil || !w.node.isFile():
		return nil, pathError("mmap", fsys.Clean(name), errInvalid)
	}
	m.tree.mu.Lock()
	defer m.tree.mu.Unlock()
	w.node.mapped++
	return &Mapping{tree: m.tree, node: w.node}, nil
}

// WriteAt puts bytes into the file, which does not grow: beyond its end they are lost, with io.ErrShortWrite.
func (p *Mapping) WriteAt(b []byte, off int64) (int, error) {
	t := p.tree
	t.mu.Lock()
	defer t.mu.Unlock()
	if p.closed {
		return 0, fs.ErrClosed
	}
	v, n, now := &t.volume, p.node, t.clock.tick()
	marks := v.Times == fsys.TimesMarked || v.Times == fsys.TimesLayered && v.tells
	if v.Times == fsys.TimesExact || marks && now > p.until {
		n.stamp(&t.clock, now)
		p.until = now + writeBack
	}
	if off < 0 || off > int64(len(n.data)) {
		return 0, io.ErrShortWrite
	}
	t.own(n)
	wrote := copy(n.data[off:], b)
	if wrote < len(b) {
		return wrote, io.ErrShortWrite
	}
	return wrote, nil
}

// Close ends the mapping. A second call does nothing.
func (p *Mapping) Close() error {
	p.tree.mu.Lock()
	defer p.tree.mu.Unlock()
	if !p.closed {
		p.closed = true
		p.node.mapped--
	}
	return nil
}
