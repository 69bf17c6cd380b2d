// Package memfs is a disk in memory for tests, simulations and hosts: one that behaves as a real one does, down to inodes, times and what a
// power cut leaves. No product code imports it. Its tests are those of package fsys, which hold it against the real disk.
package memfs

import (
	"io/fs"
	"path"
	"sync"
	"sync/atomic"
	"time"

	"github.com/haz-build/haz/fsys"
)

// New makes an empty file system in memory with POSIX behaviour, its own clock and inode numbers.
//
// It is strict: files need existing parents, renames follow POSIX, links are followed as the kernel does (an absolute
// text starts at the outermost root), special bits are kept, removed files stay readable while open. Permission bits are
// kept but forbid nothing, there is no umask and no owner. A file holds at most 1 GiB.
//
// Time is logical: it starts on 2000-01-01 and goes on by 1 ms with every change. See SetTime, Advance, SetStep,
// SetGranularity and SetClock.
func New() *FS {
	t := &tree{
		clock:  clock{now: time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC).UnixNano(), step: int64(time.Millisecond), grain: 1},
		volume: volume{Volume: fsys.Volume{Dev: device, Times: fsys.TimesMarked, Mount: 1, Super: 1}},
	}
	t.root = t.newNode(fs.ModeDir | 0o755)
	t.root.parent = t.root
	t.root.nlink = 2
	return &FS{tree: t, root: t.root, base: "/"}
}

// FS is the strict in-memory implementation.
type FS struct {
	tree   *tree
	root   *node
	base   string // HostPath of root
	closed atomic.Bool
}

var _ fsys.FS = (*FS)(nil)

// tree is what all file systems that Sub made from one Memory share.
type tree struct {
	mu        sync.RWMutex
	root      *node
	lastInode uint64
	clock     clock
	volume    volume
	allNamed  bool      // there are no files without names
	recorder  *recorder // nil unless unsynced changes are recorded
}

// device is the device number of every memory file system.
const device = 0x6d656d

// newNode makes a thing that has no name yet.
func (t *tree) newNode(mode fs.FileMode) *node {
	t.lastInode++
	now := t.clock.tick()
	n := &node{inode: t.lastInode, mode: mode, mtime: now, ctime: now}
	if mode.IsDir() {
		n.entries = map[string]*node{}
	}
	return n
}

func (m *FS) Name() string { return "memory" }

func (m *FS) HostPath(name string) string { return path.Join(m.base, fsys.Clean(name)) }

// Close makes operations through m fail. Other file systems on the same tree and open files go on.
func (m *FS) Close() error {
	m.closed.Store(true)
	return nil
}

func (m *FS) Sub(dir string) (fsys.FS, error) { return m.sub(dir, followsLink) }

func (m *FS) Hold(dir string) (fsys.FS, error) { return m.sub(dir, keepsLink) }

func (m *FS) sub(dir string, last whichLink) (fsys.FS, error) {
	name := fsys.Clean(dir)
	w, err := m.look(name, last)
	switch {
	case err != nil:
		return nil, pathError("open", name, err)
	case !w.node.isDir():
		return nil, pathError("open", name, errNotDir)
	}
	return &FS{tree: m.tree, root: w.node, base: m.HostPath(name)}, nil
}

// Clone copies the whole tree with inode numbers, times and clock. Locks and open files stay behind, and everything in
// the copy counts as synced. File contents are shared until one side writes.
func (m *FS) Clone() *FS {
	m.tree.mu.Lock()
	defer m.tree.mu.Unlock()
	c := cloner{made: map[*node]*node{}}
	t := &tree{lastInode: m.tree.lastInode, clock: m.tree.clock, volume: m.tree.volume, allNamed: m.tree.allNamed}
	t.root = c.copy(m.tree.root)
	t.root.parent = t.root
	root := c.made[m.root]
	if root == nil { // a Sub whose directory was removed
		root = c.copy(m.root)
		root.parent = t.root
	}
	return &FS{tree: t, root: root, base: m.base}
}

// cloner copies nodes; one with several names stays one.
type cloner struct{ made map[*node]*node }

func (c cloner) copy(n *node) *node {
	if m := c.made[n]; m != nil {
		return m
	}
	n.shared = true
	m := &node{
		inode: n.inode, mode: n.mode, nlink: n.nlink, mtime: n.mtime, ctime: n.ctime,
		data: n.data, shared: true, text: n.text, name: n.name,
	}
	c.made[n] = m
	if n.isDir() {
		m.entries = make(map[string]*node, len(n.entries))
		for name, child := range n.entries {
			k := c.copy(child)
			m.entries[name] = k
			if k.isDir() {
				k.parent = m
			}
		}
	}
	return m
}

// clock is the time of a memory file system, in nanoseconds since the epoch.
type clock struct {
	now   int64
	step  int64
	grain int64
	from  func() time.Time

	fine    bool
	inOrder bool
	exact   int64 // time of the last tick
	floor   int64 // the last exact stamp
}

// tick is the time stamp of one change.
func (c *clock) tick() int64 {
	var t int64
	if c.from != nil {
		t = c.from().UnixNano()
	} else {
		c.now += c.step
		t = c.now
	}
	c.exact = t
	if c.grain > 1 {
		t -= ((t % c.grain) + c.grain) % c.grain
	}
	return t
}

// mark is the stamp that a node gets at the last tick, which gave now.
func (c *clock) mark(n *node, now int64) int64 {
	if n.seen.Swap(false) && c.fine && now <= n.ctime {
		c.floor = c.exact
		return c.exact
	}
	if c.fine && c.inOrder && c.floor <= c.exact { // else the clock was set back
		return max(now, c.floor)
	}
	return now
}

// Now is the time of the last change, unless the clock was moved since.
func (m *FS) Now() time.Time {
	m.tree.mu.Lock()
	defer m.tree.mu.Unlock()
	if m.tree.clock.from != nil {
		return m.tree.clock.from()
	}
	return time.Unix(0, m.tree.clock.now)
}

func (m *FS) setClock(set func(c *clock)) {
	m.tree.mu.Lock()
	defer m.tree.mu.Unlock()
	set(&m.tree.clock)
}

// SetTime sets the logical clock, also to an earlier time.
func (m *FS) SetTime(t time.Time) { m.setClock(func(c *clock) { c.now = t.UnixNano() }) }

// Advance moves the logical clock on by d, or back if d is negative.
func (m *FS) Advance(d time.Duration) { m.setClock(func(c *clock) { c.now += int64(d) }) }

// SetStep says how far each change moves the logical clock. 0 gives many changes one time stamp.
func (m *FS) SetStep(d time.Duration) { m.setClock(func(c *clock) { c.step = int64(d) }) }

// SetGranularity makes time stamps multiples of d, as file systems with coarse time stamps do (FAT: 2 s). At most 1 ns
// means exact ones.
func (m *FS) SetGranularity(d time.Duration) { m.setClock(func(c *clock) { c.grain = int64(d) }) }

// SetFine gives what somebody has looked at since its last stamp an exact one, where the coarse one would not be later, as ext4, XFS and btrfs do since
// Linux 6.13; and inOrder, as they do, nobody an earlier one than an exact one that was given before.
func (m *FS) SetFine(inOrder bool) { m.setClock(func(c *clock) { c.fine, c.inOrder = true, inOrder }) }

// SetClock replaces the logical clock; nil brings it back. The function must not use the file system.
func (m *FS) SetClock(now func() time.Time) { m.setClock(func(c *clock) { c.from = now }) }

// alive fails after Close.
func (m *FS) alive() error {
	if m.closed.Load() {
		return fs.ErrClosed
	}
	return nil
}
