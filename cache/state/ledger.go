package state

import (
	"encoding/binary"
	"errors"
	"io/fs"
	"slices"
	"sort"
	"strings"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/fsys"
)

// Produced is one path that a task made and left behind (8.2).
type Produced struct {
	Path      string // workspace-absolute; bytes
	Info      fsys.Info
	Digest    digest.Digest // zero where unknown
	HasDigest bool
	LinkText  string
}

// Ledger is what one task made and left behind.
type Ledger struct {
	Task  string // "lib:build"
	Key   digest.Digest
	At    int64      // unix seconds
	Files []Produced // sorted by path
}

// Find returns what the ledger says of path.
func (l *Ledger) Find(path string) (*Produced, bool) {
	i := sort.Search(len(l.Files), func(i int) bool { return l.Files[i].Path >= path })
	if i == len(l.Files) || l.Files[i].Path != path {
		return nil, false
	}
	return &l.Files[i], true
}

// Ledger reads the ledger of a task; a bad or absent one is empty. It costs one open and one read.
func (s *State) Ledger(task string) Ledger {
	l, _ := s.readLedger(task)
	return l
}

func (s *State) readLedger(task string) (Ledger, fsys.Info) {
	name := fileOf(task)
	data, info, err := s.home.read(producedDir, name)
	if err != nil {
		s.note(couldNotRead, producedDir+"/"+name, err)
		return Ledger{}, info
	}
	l, ok := decodeLedger(data, s.fn)
	if !ok || l.Task != task {
		return Ledger{}, info
	}
	return l, info
}

// WriteLedger replaces the ledger of l.Task, in place. Nothing is written when only At would change.
func (s *State) WriteLedger(l Ledger) {
	name := fileOf(l.Task)
	if !slices.IsSortedFunc(l.Files, byPath) {
		l.Files = slices.Clone(l.Files)
		slices.SortStableFunc(l.Files, byPath)
	}
	file := encodeLedger(l, s.fn)
	// Looking is several times cheaper than replacing, and of most hits the ledger is right.
	if old, _, err := s.home.read(producedDir, name); err == nil && sameLedger(old, file) {
		return
	}
	s.mu.Lock()
	delete(s.memo, l.Task)
	s.mu.Unlock()
	if err := s.home.overwrite(producedDir, name, file); err != nil {
		s.note(couldNotWrite, producedDir+"/"+name, err)
	}
}

func byPath(a, b Produced) int { return strings.Compare(a.Path, b.Path) }

// memo is a ledger that was read to look for a path in it, and the stat of its file.
type memo struct {
	info   fsys.Info
	ledger Ledger
}

// maxMemos bounds what is kept of other tasks' ledgers.
const maxMemos = 64

// ListedBy returns, for a path, the tasks (other than except) among candidates whose ledgers list it.
//
// A ledger is read again when its file looks different. Two versions of it within one tick of the clock, and in one inode,
// would go unnoticed; but who asks holds the task locks of those who could write such a path (S-36).
func (s *State) ListedBy(path string, candidates []string) []string {
	var by []string
	for _, task := range candidates {
		l := s.remembered(task)
		if _, ok := l.Find(path); ok {
			by = append(by, task)
		}
	}
	return by
}

func (s *State) remembered(task string) *Ledger {
	dir, err := s.home.open(producedDir)
	if err != nil {
		return &Ledger{}
	}
	info, err := dir.Lstat("/" + fileOf(task))
	if err != nil {
		if !errors.Is(err, fs.ErrNotExist) {
			s.note(couldNotRead, producedDir+"/"+fileOf(task), err)
		}
		return &Ledger{}
	}
	s.mu.Lock()
	m := s.memo[task]
	s.mu.Unlock()
	if m != nil && m.info.Same(info) {
		return &m.ledger
	}
	m = &memo{}
	m.ledger, m.info = s.readLedger(task)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.memo == nil || len(s.memo) >= maxMemos {
		s.memo = map[string]*memo{}
	}
	s.memo[task] = m
	return &m.ledger
}

// The payload of a ledger: hash function (1 byte), At (8 bytes), then task, key, number of files, files. Numbers are varints,
// strings carry their length. A file: path, kind, perm, size, mtime, ctime, inode, device, a byte that says whether a digest
// follows, the digest, link text.
const ledgerAt = frameSize + 1 // where At lies

func encodeLedger(l Ledger, fn digest.Function) []byte {
	size := 64 + len(l.Task)
	for i := range l.Files {
		size += 100 + len(l.Files[i].Path) + len(l.Files[i].LinkText)
	}
	b := append(newFrame(size), byte(fn))
	b = binary.LittleEndian.AppendUint64(b, uint64(l.At))
	b = appendString(b, l.Task)
	b = append(b, l.Key[:]...)
	b = binary.AppendUvarint(b, uint64(len(l.Files)))
	for i := range l.Files {
		p := &l.Files[i]
		b = appendString(b, p.Path)
		b = append(b, byte(p.Info.Kind))
		b = binary.AppendUvarint(b, uint64(p.Info.Perm))
		b = binary.AppendVarint(b, p.Info.Size)
		b = binary.AppendVarint(b, p.Info.MTime)
		b = binary.AppendVarint(b, p.Info.CTime)
		b = binary.AppendUvarint(b, p.Info.Inode)
		b = binary.AppendUvarint(b, p.Info.Dev)
		if p.HasDigest {
			b = append(append(b, 1), p.Digest[:]...)
		} else {
			b = append(b, 0)
		}
		b = appendString(b, p.LinkText)
	}
	return seal(ledgerMagic, b)
}

// sameLedger reports whether two files differ in nothing but At.
func sameLedger(old, file []byte) bool {
	const after = ledgerAt + 8
	payload, whole := unsealHead(ledgerMagic, old)
	return whole && frameSize+len(payload) == len(file) && old[frameSize] == file[frameSize] && string(old[after:len(file)]) == string(file[after:])
}

// decodeLedger reads a ledger of hash function fn. One that another function has made keeps its files, without digests.
func decodeLedger(file []byte, fn digest.Function) (Ledger, bool) {
	payload, ok := unsealHead(ledgerMagic, file)
	if !ok {
		return Ledger{}, false
	}
	d := decoder{rest: string(payload), ok: true}
	same := d.byte() == byte(fn)
	l := Ledger{At: int64(d.fixed64()), Task: d.string(), Key: d.digest()}
	n := d.uvarint()
	const smallest = 10 // bytes of a file, at least
	if n > uint64(len(d.rest))/smallest {
		return Ledger{}, false
	}
	if n > 0 {
		l.Files = make([]Produced, n)
	}
	for i := range l.Files {
		p := &l.Files[i]
		p.Path = d.string()
		p.Info.Kind = fsys.Kind(d.byte())
		p.Info.Perm = uint32(d.uvarint())
		p.Info.Size, p.Info.MTime, p.Info.CTime = d.varint(), d.varint(), d.varint()
		p.Info.Inode, p.Info.Dev = d.uvarint(), d.uvarint()
		if d.byte() == 1 {
			p.Digest, p.HasDigest = d.digest(), same
			if !same {
				p.Digest = digest.Digest{}
			}
		}
		p.LinkText = d.string()
	}
	if !d.ok || d.rest != "" || !slices.IsSortedFunc(l.Files, byPath) {
		return Ledger{}, false
	}
	return l, true
}
