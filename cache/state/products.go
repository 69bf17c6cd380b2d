package state

import (
	"math"
	"slices"
	"sort"
	"strings"
	"unsafe"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/text"
	"github.com/haz-build/haz/fsys"
)

// Produced is one path that a task made and left behind (8.2).
type Produced struct {
	Path      string // workspace-absolute; bytes
	Info      fsys.Info
	Digest    digest.Digest // zero where unknown
	HasDigest bool
	LinkText  string
	// Found: something that no product list knew lay there when the task wrote to it, or (in the product list of an execution under way)
	// lies there. It is not the task's alone, and so is never taken away.
	Found bool
}

// Products is what one task made and left behind.
type Products struct {
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

// maxSpans is how many executions a product list remembers.
const maxSpans = 4

// AddSpan adds the latest execution to spans, which it does not change.
func AddSpan(spans []Span, s Span) []Span {
	if n := len(spans) - maxSpans + 1; n > 0 {
		spans = spans[n:]
	}
	return append(slices.Clone(spans), s)
}

// Find returns what the product list says of path.
func (l *Products) Find(path string) (*Produced, bool) {
	i := sort.Search(len(l.Files), func(i int) bool { return l.Files[i].Path >= path })
	if i == len(l.Files) || l.Files[i].Path != path {
		return nil, false
	}
	return &l.Files[i], true
}

// Below reports whether the product list lists path or something below it.
func (l *Products) Below(path string) bool {
	i := sort.Search(len(l.Files), func(i int) bool { return l.Files[i].Path >= path })
	if i < len(l.Files) && l.Files[i].Path == path {
		return true
	}
	i = sort.Search(len(l.Files), func(i int) bool { return l.Files[i].Path >= path+"/" })
	return i < len(l.Files) && strings.HasPrefix(l.Files[i].Path, path+"/")
}

// Products reads the product list of a task; a bad or absent one is empty.
func (s *State) Products(task string) Products {
	l, _, _ := s.readProducts(task)
	return l
}

func (s *State) readProducts(task string) (l Products, at span, gen int) {
	made, at, gen, ok := s.products.parse(task, func(r *text.Reader, hash string) { l = parseProducts(r, hash == s.fn.String()) })
	if !ok || !slices.IsSortedFunc(l.Files, byPath) {
		return Products{}, at, gen
	}
	l.Task, l.At = task, made
	return l, at, gen
}

// Mark tells a product list on disk from those that replace it. The zero one is that of no product list.
type Mark struct {
	at  span
	gen int
}

// ProductMarks are the marks of the product lists that tasks have now, in their order. A log that was rewritten meanwhile has other
// marks too: they say that something may be new, not that it is.
func (s *State) ProductMarks(tasks []string) []Mark {
	marks := make([]Mark, len(tasks))
	s.products.findAll(tasks, func(i int, at span, gen int) { marks[i] = Mark{at, gen} })
	return marks
}

// WriteProducts replaces the product list of l.Task. Nothing is written when only At would change. The result is the time of the file
// system right after the write, 0 when there was none.
func (s *State) WriteProducts(l Products) (stamp int64) {
	if s.home.readOnly {
		return 0
	}
	if !slices.IsSortedFunc(l.Files, byPath) {
		l.Files = slices.Clone(l.Files)
		slices.SortStableFunc(l.Files, byPath)
	}
	record, ok := s.productsText(&l)
	if !ok || !s.products.fits(l.Task, record) {
		// What was written before must not count on, or it would tell whose things are of a result that is not there any more.
		// Nothing is known to be the task's, so nothing of it is stored or taken away until it makes less.
		record, _ = s.productsText(&Products{Task: l.Task, Key: l.Key, At: l.At, Unfinished: true})
	}
	if s.products.says(l.Task, record) {
		return 0
	}
	return s.products.put(l.Task, record)
}

func byPath(a, b Produced) int { return strings.Compare(a.Path, b.Path) }

// memo is a product list that was read to look for a path in it, and where in which log it lies.
type memo struct {
	at       span
	gen      int
	products Products
	size     int64 // in memory
}

// maxMemos bounds what is kept of other tasks' product lists.
const maxMemos = 64

// ListedBy returns, for a path, the tasks among candidates whose product lists list it as theirs.
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

func (s *State) remembered(task string) *Products {
	at, gen, ok := s.products.find(task)
	if !ok {
		return &Products{}
	}
	s.mu.Lock()
	m := s.memo[task]
	s.mu.Unlock()
	if m != nil && m.at == at && m.gen == gen {
		return &m.products
	}
	m = &memo{}
	m.products, m.at, m.gen = s.readProducts(task)
	m.size = m.at.size + int64(len(m.products.Files))*int64(unsafe.Sizeof(Produced{}))
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.memo == nil || len(s.memo) >= maxMemos || s.memoSize+m.size > maxMemory {
		s.memo, s.memoSize = map[string]*memo{}, 0
	}
	s.memo[task] = m
	s.memoSize += m.size
	return &m.products
}

// The lines of a product list: its key, whether an execution runs or was not finished, spans, and one for each path, which begins with the kind
// of what lies there.
const (
	wordKey        = "key"
	wordRunning    = "running"
	wordUnfinished = "unfinished"
	wordSpan       = "span" // from, to
	wordUnknown    = "unknown"
	wordFound      = "found" // a thing that is
	wordOwn        = "own"   // and one that is not
)

// kinds are the words of what may lie at a path.
var kinds = [...]string{fsys.Unknown: "nothing", fsys.File: "file", fsys.Dir: "dir", fsys.Link: "link", fsys.Special: "special"}

// productsText is the record of l. ok is false when it has more rows or bytes than are read.
func (s *State) productsText(l *Products) (record []byte, ok bool) {
	if len(l.Files) > maxRows {
		return nil, false
	}
	w, row := s.products.record(l.Task), text.Writer{}
	size := len(w.B) + 4*digest.Size + maxSpans*48 + maxEnd
	for i := range l.Files {
		row.B = row.B[:0]
		l.Files[i].write(&row)
		size += len(row.B) + 1
	}
	if size > maxProducts {
		return nil, false
	}
	w.B = append(make([]byte, 0, len(w.B)+size), w.B...) // it may be large: growing it bit by bit would take twice as much
	w.Line(wordKey)
	w.Digest(l.Key)
	if l.Running {
		w.Line(wordRunning)
	}
	if l.Unfinished {
		w.Line(wordUnfinished)
	}
	for _, at := range l.Spans {
		w.Line(wordSpan)
		w.Int(at.From)
		w.Int(at.To)
	}
	for i := range l.Files {
		l.Files[i].write(w)
	}
	return s.products.end(w, l.At), true
}

// write writes kind, mode, size, path, digest, whose it is, mtime, ctime, inode, device, and the text of a link.
func (p *Produced) write(w *text.Writer) {
	w.Line(kinds[p.Info.Kind])
	w.Octal(p.Info.Perm)
	w.Int(p.Info.Size)
	w.Str(p.Path)
	if p.HasDigest {
		w.Digest(p.Digest)
	} else {
		w.Word(wordUnknown)
	}
	if p.Found {
		w.Word(wordFound)
	} else {
		w.Word(wordOwn)
	}
	w.Int(p.Info.MTime)
	w.Int(p.Info.CTime)
	w.Uint(p.Info.Inode)
	w.Uint(p.Info.Dev)
	if p.LinkText != "" {
		w.Str(p.LinkText)
	}
}

// parseProducts reads a product list, but for task and time. Where another hash function has made it, files are without digests.
func parseProducts(r *text.Reader, same bool) (l Products) {
	flag := func(word string) bool {
		there := r.At(word)
		if there {
			r.Line(word)
		}
		return there
	}
	r.Line(wordKey)
	l.Key = r.Digest()
	l.Running, l.Unfinished = flag(wordRunning), flag(wordUnfinished)
	for flag(wordSpan) {
		if l.Spans = append(l.Spans, Span{r.Int(), r.Int()}); len(l.Spans) > maxSpans {
			r.Fail(text.ErrSpelling)
		}
	}
	for r.Err() == nil && !r.At(wordMade) {
		kind := slices.IndexFunc(kinds[:], r.At)
		if kind < 0 || len(l.Files) == maxRows {
			r.Fail(text.ErrSpelling)
			break
		}
		r.Line(kinds[kind])
		l.Files = append(l.Files, parseProduced(r, fsys.Kind(kind), same))
	}
	return l
}

func parseProduced(r *text.Reader, kind fsys.Kind, same bool) (p Produced) {
	p.Info.Kind = kind
	p.Info.Perm, p.Info.Size, p.Path = r.Octal(math.MaxUint32), r.Int(), r.Str(maxProducts)
	if !r.Next(wordUnknown) {
		if p.Digest, p.HasDigest = r.Digest(), same; !same {
			p.Digest = digest.Digest{}
		}
	}
	if p.Found = r.Next(wordFound); !p.Found && !r.Next(wordOwn) {
		r.Fail(text.ErrSpelling)
	}
	p.Info.MTime, p.Info.CTime = r.Int(), r.Int()
	p.Info.Inode, p.Info.Dev = r.Uint(), r.Uint()
	if r.More() {
		if p.LinkText = r.Str(maxProducts); p.LinkText == "" {
			r.Fail(text.ErrSpelling)
		}
	}
	return p
}
