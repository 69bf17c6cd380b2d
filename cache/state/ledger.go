package state

import (
	"encoding/binary"
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

// Below reports whether the ledger lists path or something below it.
func (l *Ledger) Below(path string) bool {
	i := sort.Search(len(l.Files), func(i int) bool { return l.Files[i].Path >= path })
	if i < len(l.Files) && l.Files[i].Path == path {
		return true
	}
	i = sort.Search(len(l.Files), func(i int) bool { return l.Files[i].Path >= path+"/" })
	return i < len(l.Files) && strings.HasPrefix(l.Files[i].Path, path+"/")
}

// Ledger reads the ledger of a task; a bad or absent one is empty.
func (s *State) Ledger(task string) Ledger {
	l, _, _ := s.readLedger(task)
	return l
}

func (s *State) readLedger(task string) (l Ledger, at span, gen int) {
	body, at, gen, ok := s.ledgers.get(task)
	if ok {
		l, ok = decodeLedger(body, s.fn)
	}
	if !ok || l.Task != task {
		return Ledger{}, at, gen
	}
	return l, at, gen
}

// Mark tells a ledger on disk from those that replace it. The zero one is that of no ledger.
type Mark struct {
	at  span
	gen int
}

// LedgerMark is the mark of the ledger that a task has now. A log that was rewritten meanwhile has other marks too: they say
// that something may be new, not that it is.
func (s *State) LedgerMark(task string) Mark {
	at, gen, ok := s.ledgers.find(task)
	if !ok {
		return Mark{}
	}
	return Mark{at, gen}
}

// WriteLedger replaces the ledger of l.Task. Nothing is written when only At would change.
func (s *State) WriteLedger(l Ledger) {
	if s.home.readOnly {
		return
	}
	if !slices.IsSortedFunc(l.Files, byPath) {
		l.Files = slices.Clone(l.Files)
		slices.SortStableFunc(l.Files, byPath)
	}
	body := encodeLedger(l, s.fn)
	if old, _, _, ok := s.ledgers.get(l.Task); ok && sameLedger(old, body) {
		return
	}
	s.ledgers.put(l.Task, l.At, body)
}

func byPath(a, b Produced) int { return strings.Compare(a.Path, b.Path) }

// memo is a ledger that was read to look for a path in it, and where in which log it lies.
type memo struct {
	at     span
	gen    int
	ledger Ledger
}

// maxMemos bounds what is kept of other tasks' ledgers.
const maxMemos = 64

// ListedBy returns, for a path, the tasks (other than except) among candidates whose ledgers list it.
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
	at, gen, ok := s.ledgers.find(task)
	if !ok {
		return &Ledger{}
	}
	s.mu.Lock()
	m := s.memo[task]
	s.mu.Unlock()
	if m != nil && m.at == at && m.gen == gen {
		return &m.ledger
	}
	m = &memo{}
	m.ledger, m.at, m.gen = s.readLedger(task)
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.memo == nil || len(s.memo) >= maxMemos {
		s.memo = map[string]*memo{}
	}
	s.memo[task] = m
	return &m.ledger
}

// The body of a ledger: hash function (1 byte), At (8 bytes), then task, key, number of files, files. Numbers are varints,
// strings carry their length. A file: path, kind, perm, size, mtime, ctime, inode, device, a byte that says whether a digest
// follows, the digest, link text.
func encodeLedger(l Ledger, fn digest.Function) []byte {
	size := 64 + len(l.Task)
	for i := range l.Files {
		size += 100 + len(l.Files[i].Path) + len(l.Files[i].LinkText)
	}
	b := append(make([]byte, 0, size), byte(fn))
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
	return b
}

// sameLedger reports whether two bodies differ in nothing but At.
func sameLedger(a, b []byte) bool {
	const at, after = 1, 1 + 8
	return len(a) == len(b) && len(a) >= after && string(a[:at]) == string(b[:at]) && string(a[after:]) == string(b[after:])
}

// decodeLedger reads the ledger of hash function fn. One that another function has made keeps its files, without digests.
func decodeLedger(body []byte, fn digest.Function) (Ledger, bool) {
	d := decoder{rest: string(body), ok: true}
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
