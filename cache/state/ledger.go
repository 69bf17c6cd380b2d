package state

import (
	"encoding/binary"
	"slices"
	"sort"
	"strings"
	"unsafe"

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
	// Found: something that no ledger knew lay there when the task wrote to it, or (in the ledger of an execution under way)
	// lies there. It is not the task's alone, and so is never taken away.
	Found bool
}

// Ledger is what one task made and left behind.
type Ledger struct {
	Task  string // "lib:build"
	Key   digest.Digest
	At    int64      // unix seconds
	Files []Produced // sorted by path
	// Running: an execution began, and nobody has written down how it ended. Files then is what there was when it began;
	// whatever else matches the task's outputs may be half written.
	Running bool
	// Unfinished: what came last was an execution that failed, was stopped, or whose result could not be relied upon.
	Unfinished bool
	Spans      []Span // when the last executions ran, the oldest first; at most maxSpans
}

// Span is the time of an execution, by the clock of the file system, in nanoseconds.
type Span struct{ From, To int64 }

// Within reports whether a file that looks like info was made or written to in the span.
func (s Span) Within(info fsys.Info) bool {
	return s.From <= info.MTime && info.MTime <= s.To || s.From <= info.CTime && info.CTime <= s.To
}

// maxSpans is how many executions a ledger remembers.
const maxSpans = 4

// AddSpan adds the latest execution to spans, which it does not change.
func AddSpan(spans []Span, s Span) []Span {
	if n := len(spans) - maxSpans + 1; n > 0 {
		spans = spans[n:]
	}
	return append(slices.Clone(spans), s)
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

// LedgerMarks are the marks of the ledgers that tasks have now, in their order. A log that was rewritten meanwhile has other
// marks too: they say that something may be new, not that it is.
func (s *State) LedgerMarks(tasks []string) []Mark {
	marks := make([]Mark, len(tasks))
	s.ledgers.findAll(tasks, func(i int, at span, gen int) { marks[i] = Mark{at, gen} })
	return marks
}

// WriteLedger replaces the ledger of l.Task. Nothing is written when only At would change. The result is the time of the file
// system right after the write, 0 when there was none.
func (s *State) WriteLedger(l Ledger) (stamp int64) {
	if s.home.readOnly {
		return 0
	}
	if !slices.IsSortedFunc(l.Files, byPath) {
		l.Files = slices.Clone(l.Files)
		slices.SortStableFunc(l.Files, byPath)
	}
	if !s.ledgers.fits(l.Task, l.bound()) || len(l.Files) > maxRows {
		// What was written before must not count on, or it would tell whose things are of a result that is not there any more.
		// Nothing is known to be the task's, so nothing of it is stored or taken away until it makes less.
		l = Ledger{Task: l.Task, Key: l.Key, At: l.At, Unfinished: true}
	}
	body := encodeLedger(l, s.fn)
	if s.ledgers.sameBut(l.Task, body, ledgerAt) {
		return 0
	}
	return s.ledgers.put(l.Task, l.At, body)
}

func byPath(a, b Produced) int { return strings.Compare(a.Path, b.Path) }

// memo is a ledger that was read to look for a path in it, and where in which log it lies.
type memo struct {
	at     span
	gen    int
	ledger Ledger
	size   int64 // in memory
}

// maxMemos bounds what is kept of other tasks' ledgers.
const maxMemos = 64

// ListedBy returns, for a path, the tasks among candidates whose ledgers list it as theirs.
func (s *State) ListedBy(path string, candidates []string) []string {
	var by []string
	for _, task := range candidates {
		l := s.remembered(task)
		if p, ok := l.Find(path); ok && !(l.Running && p.Found) {
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
	m.size = m.at.size + int64(len(m.ledger.Files))*int64(unsafe.Sizeof(Produced{}))
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.memo == nil || len(s.memo) >= maxMemos || s.memoSize+m.size > maxMemory {
		s.memo, s.memoSize = map[string]*memo{}, 0
	}
	s.memo[task] = m
	s.memoSize += m.size
	return &m.ledger
}

// The body of a ledger: hash function (1 byte), At (8 bytes), then task, key, flags, number of spans, spans, number of files,
// files. Numbers are varints, strings carry their length. A file: path, kind, perm, size, mtime, ctime, inode, device, flags,
// one of which says that a digest follows, the digest, link text.
const (
	ledgerAt = 1 // where At is

	flagRunning    = 1
	flagUnfinished = 2

	flagDigest = 1
	flagFound  = 2
)

func flags(first, second bool) (b byte) {
	if first {
		b = 1
	}
	if second {
		b |= 2
	}
	return b
}

// bound is how many bytes encodeLedger makes at most.
func (l *Ledger) bound() int {
	const number = binary.MaxVarintLen64
	size := 1 + 8 + number + len(l.Task) + digest.Size + 1 + number + 2*number*len(l.Spans) + number
	for i := range l.Files {
		size += number + len(l.Files[i].Path) + 1 + 6*number + 1 + digest.Size + number + len(l.Files[i].LinkText)
	}
	return size
}

func encodeLedger(l Ledger, fn digest.Function) []byte {
	b := append(make([]byte, 0, l.bound()), byte(fn))
	b = binary.LittleEndian.AppendUint64(b, uint64(l.At))
	b = appendString(b, l.Task)
	b = append(b, l.Key[:]...)
	b = append(b, flags(l.Running, l.Unfinished))
	b = binary.AppendUvarint(b, uint64(len(l.Spans)))
	for _, s := range l.Spans {
		b = binary.AppendVarint(binary.AppendVarint(b, s.From), s.To)
	}
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
		b = append(b, flags(p.HasDigest, p.Found))
		if p.HasDigest {
			b = append(b, p.Digest[:]...)
		}
		b = appendString(b, p.LinkText)
	}
	return b
}

// decodeLedger reads the ledger of hash function fn. One that another function has made keeps its files, without digests. The
// paths are parts of body, which nobody may change any more.
func decodeLedger(body []byte, fn digest.Function) (Ledger, bool) {
	d := decoder{rest: unsafe.String(unsafe.SliceData(body), len(body)), ok: true}
	same := d.byte() == byte(fn)
	l := Ledger{At: int64(d.fixed64()), Task: d.string(), Key: d.digest()}
	bits := d.byte()
	l.Running, l.Unfinished = bits&flagRunning != 0, bits&flagUnfinished != 0
	spans := d.uvarint()
	if bits > flagRunning|flagUnfinished || spans > maxSpans {
		return Ledger{}, false
	}
	for range spans {
		l.Spans = append(l.Spans, Span{d.varint(), d.varint()})
	}
	n := d.uvarint()
	const smallest = 10 // bytes of a file, at least
	if n > uint64(len(d.rest))/smallest || n > maxRows {
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
		bits := d.byte()
		p.Found = bits&flagFound != 0
		if bits&flagDigest != 0 {
			p.Digest, p.HasDigest = d.digest(), same
			if !same {
				p.Digest = digest.Digest{}
			}
		}
		if bits > flagDigest|flagFound {
			return Ledger{}, false
		}
		p.LinkText = d.string()
	}
	if !d.ok || d.rest != "" || !slices.IsSortedFunc(l.Files, byPath) {
		return Ledger{}, false
	}
	return l, true
}
