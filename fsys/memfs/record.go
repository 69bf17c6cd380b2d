package memfs

import (
	"io/fs"
	"math/rand/v2"
	"slices"
)

// RecordUnsynced makes m remember, from now on, what a power cut would put at risk; all there is now counts as synced.
// CrashClone then draws what survives.
//
// What makes changes safe: Sync of a file its bytes, mode and times, but not its name; Sync of a directory the names that
// were made, removed or renamed in it; SyncAll everything.
func (m *FS) RecordUnsynced() {
	m.tree.mu.Lock()
	defer m.tree.mu.Unlock()
	r := &recorder{synced: map[*node]map[string]*node{}, dirty: map[*node]*syncedFile{}}
	r.adopt(m.tree.root)
	m.tree.recorder = r
}

// recorder knows the tree as it is on the medium and what was done since.
type recorder struct {
	synced  map[*node]map[string]*node // directory → its entries on the medium
	pending []change                   // changes of names since, oldest first
	dirty   map[*node]*syncedFile      // what was written to since → as it is on the medium
}

// change is one atomic change of names: a new name, a removed one, or both, which is a rename.
type change struct {
	node    *node
	fromDir *node // nil: nothing is removed
	from    string
	toDir   *node // nil: nothing is made
	to      string
}

// slot is a name in a directory.
type slot struct {
	dir  *node
	name string
}

// syncedFile is a node on the medium.
type syncedFile struct {
	data   []byte // never written to
	mode   fs.FileMode
	mtime  int64
	minLen int // shortest length that the file had since
}

func (r *recorder) adopt(dir *node) {
	entries := make(map[string]*node, len(dir.entries))
	r.synced[dir] = entries
	for name, n := range dir.entries {
		entries[name] = n
		if n.isDir() {
			r.adopt(n)
		}
	}
}

// record notes a change of names before it is made.
func (t *tree) record(c change) {
	if t.recorder == nil {
		return
	}
	if c.fromDir == nil && c.node.nlink == 0 && t.recorder.dirty[c.node] == nil {
		// A new node: nothing of it is on the medium.
		t.recorder.dirty[c.node] = &syncedFile{mode: c.node.mode, mtime: c.node.mtime}
	}
	t.recorder.pending = append(t.recorder.pending, c)
}

// touch notes that n is about to change in bytes, mode or times.
func (t *tree) touch(n *node) {
	if t.recorder == nil || t.recorder.dirty[n] != nil {
		return
	}
	t.recorder.dirty[n] = &syncedFile{data: n.data, mode: n.mode, mtime: n.mtime, minLen: len(n.data)}
	n.shared = true
}

// recordSize notes that the file n, which was touched, gets a new length.
func (t *tree) recordSize(n *node, size int) {
	if t.recorder != nil {
		d := t.recorder.dirty[n]
		d.minLen = min(d.minLen, size)
	}
}

func (t *tree) syncAll() {
	r := t.recorder
	if r == nil {
		return
	}
	for _, c := range r.pending {
		r.apply(c)
	}
	r.pending = nil
	clear(r.dirty)
}

func (t *tree) syncNode(n *node) {
	r := t.recorder
	if r == nil {
		return
	}
	delete(r.dirty, n)
	if n.isDir() {
		r.syncDir(n)
	}
}

// syncDir makes the changes in dir safe, and with each change the earlier ones of the same thing and of the same names: what
// was made and then renamed cannot be on the medium renamed but not made, and what had a name before cannot come back to it.
func (r *recorder) syncDir(dir *node) {
	things, names := map[*node]bool{}, map[slot]bool{}
	safe := make([]bool, len(r.pending))
	for i, c := range slices.Backward(r.pending) {
		from, to := slot{c.fromDir, c.from}, slot{c.toDir, c.to}
		if c.fromDir == dir || c.toDir == dir || things[c.node] || c.fromDir != nil && names[from] || c.toDir != nil && names[to] {
			things[c.node], names[from], names[to] = true, true, true
			safe[i] = true
		}
	}
	rest := r.pending[:0]
	for i, c := range r.pending {
		if safe[i] {
			r.apply(c)
		} else {
			rest = append(rest, c)
		}
	}
	clear(r.pending[len(rest):])
	r.pending = rest
}

// apply makes the change on the medium.
func (r *recorder) apply(c change) {
	applyTo(r.synced, c)
}

func applyTo(dirs map[*node]map[string]*node, c change) {
	if c.fromDir != nil && dirs[c.fromDir][c.from] == c.node {
		delete(dirs[c.fromDir], c.from)
	}
	if c.toDir != nil {
		if dirs[c.toDir] == nil {
			dirs[c.toDir] = map[string]*node{}
		}
		dirs[c.toDir][c.to] = c.node
	}
}

// CrashClone returns what a power cut now could leave: all that is synced and, drawn from the seed, a part of the rest.
// Without RecordUnsynced everything is synced. m stays as it is and goes on.
//
// The draw is legal for a POSIX file system, not for a kind one. A seed first draws how bad it gets: all unsynced
// changes lost; names kept and bytes lost; changes of names kept up to one moment; or each thing on its own, where
// changes of names of one thing stay in order and a rename is never half. Unsynced bytes of a file are the old ones,
// the new ones, or a mix in sectors of 512 bytes, cut off somewhere, with zeros where nothing was written.
func (m *FS) CrashClone(seed uint64) *FS {
	m.tree.mu.Lock()
	if m.tree.recorder == nil {
		m.tree.mu.Unlock()
		return m.Clone()
	}
	defer m.tree.mu.Unlock()
	rng := rand.New(rand.NewPCG(seed, 0x9e3779b97f4a7c15))
	c := crash{recorder: m.tree.recorder, rng: rng, how: crashKind(rng.IntN(int(crashKinds))), made: map[*node]*node{}}
	c.drawNames(m.tree.root)
	t := &tree{lastInode: m.tree.lastInode, clock: m.tree.clock, volume: m.tree.volume, allNamed: m.tree.allNamed}
	t.root = c.build(m.tree.root)
	t.root.parent = t.root
	root := c.made[m.root]
	if root == nil { // the directory of this Sub did not survive
		root = c.build(m.root)
		root.parent, root.nlink = t.root, 0
	}
	return &FS{tree: t, root: root, base: m.base}
}

// crashKind is how bad a power cut gets.
type crashKind int

const (
	loseAll crashKind = iota
	loseBytes
	keepUntil
	keepSome
	crashKinds
)

type crash struct {
	*recorder
	rng  *rand.Rand
	how  crashKind
	dirs map[*node]map[string]*node // entries that survive
	made map[*node]*node            // survivors
}

// drawNames chooses the changes of names that survive.
func (c *crash) drawNames(root *node) {
	c.dirs = make(map[*node]map[string]*node, len(c.synced))
	at := map[*node]change{} // where a directory has its name
	for dir, entries := range c.synced {
		copied := make(map[string]*node, len(entries))
		for name, n := range entries {
			copied[name] = n
			if n.isDir() {
				at[n] = change{node: n, toDir: dir, to: name}
			}
		}
		c.dirs[dir] = copied
	}
	upTo, chance := len(c.pending), c.rng.Float64()
	switch c.how {
	case loseAll:
		upTo = 0
	case keepUntil:
		upTo = c.rng.IntN(len(c.pending) + 1)
	}
	lost := map[*node]bool{}
	for _, ch := range c.pending[:upTo] {
		if lost[ch.node] || c.how == keepSome && c.rng.Float64() >= chance || ch.node.isDir() && ch.toDir != nil && inside(at, ch.toDir, ch.node) {
			lost[ch.node] = true
			continue
		}
		applyTo(c.dirs, ch)
		if ch.node.isDir() && ch.toDir != nil {
			at[ch.node] = ch
		}
	}
}

// inside reports whether dir is top or lies under it, as far as directories have names in at.
func inside(at map[*node]change, dir, top *node) bool {
	for dir != top {
		up, ok := at[dir]
		if !ok {
			return false
		}
		dir = up.toDir
	}
	return true
}

// build makes the survivor of n with all that is below.
func (c *crash) build(n *node) *node {
	if s := c.made[n]; s != nil {
		return s
	}
	s := &node{inode: n.inode, mode: n.mode, mtime: n.mtime, ctime: n.ctime, text: n.text}
	c.made[n] = s
	switch {
	case n.isDir():
		c.drawMode(n, s)
		c.buildDir(n, s)
	case n.isFile():
		c.drawMode(n, s)
		c.drawBytes(n, s)
	}
	return s
}

func (c *crash) buildDir(n, s *node) {
	entries := c.dirs[n]
	names := make([]string, 0, len(entries))
	for name := range entries {
		names = append(names, name)
	}
	slices.Sort(names)
	s.entries = make(map[string]*node, len(names))
	s.nlink = 2
	for _, name := range names {
		child := c.build(entries[name])
		s.entries[name] = child
		if child.isDir() {
			child.parent, child.name = s, name
			s.nlink++
		} else {
			child.nlink++
		}
	}
}

func (c *crash) drawMode(n, s *node) {
	old := c.dirty[n]
	if old == nil {
		return
	}
	if c.how == loseAll || c.how >= keepUntil && c.rng.IntN(2) == 0 {
		s.mode, s.mtime = old.mode, old.mtime
	}
}

// sector is what a device writes whole or not at all, in bytes.
const sector = 512

func (c *crash) drawBytes(n, s *node) {
	old := c.dirty[n]
	draw := 1
	switch {
	case old == nil:
	case c.how == loseAll, c.how == loseBytes:
		draw = 0
	default:
		draw = c.rng.IntN(3)
	}
	switch draw {
	case 0:
		s.data = old.data
	case 1:
		n.shared = true
		s.data = n.data
	case 2:
		s.data = mixBytes(c.rng, old, n.data)
	}
	s.shared = true
}

// mixBytes draws a length and then each sector from the old bytes, the new ones, or zeros where the old file ended.
func mixBytes(rng *rand.Rand, old *syncedFile, now []byte) []byte {
	var size int
	switch rng.IntN(3) {
	case 0:
		size = len(now)
	case 1:
		size = len(old.data)
	default:
		size = old.minLen + rng.IntN(max(len(old.data), len(now))-old.minLen+1)
	}
	data := make([]byte, size)
	for i := 0; i < size; i += sector {
		end := min(i+sector, size)
		from := now
		if rng.IntN(2) == 0 {
			from = old.data // beyond whose end the file has zeros
		}
		if i < len(from) {
			copy(data[i:end], from[i:])
		}
	}
	return data
}
