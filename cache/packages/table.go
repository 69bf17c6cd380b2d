package packages

import (
	"bytes"
	"cmp"
	"context"
	"encoding/hex"
	"errors"
	"math/bits"
	"slices"
	"strings"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/cache/text"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/lockfile"
)

// A table is what all projects of a lock file reach: a text, which is kept (EXEC-064). Its rows come first, so that a run reads these and no more; then all
// packages, and for each row which of them it has, by which two states of a lock file are told apart for people.
//
//	haz packages 1 blake3
//	start 8cbc…
//	lock /pnpm-lock.yaml
//	broken "…"            what is wrong with the lock file; nothing follows but the digest
//	member /packages/a 02aa… 17
//	package react 18.2.0 "sha512-…"
//	reach 0f3b
//	digest 81c4…
const (
	tableKind = "packages"
	// tableRevision changes whenever the same lock file would give another table: with the readers, too.
	tableRevision = 1

	wordStart   = "start"
	wordLock    = "lock"
	wordBroken  = "broken"
	wordMember  = "member"
	wordPackage = "package"
	wordReach   = "reach"

	maxText = 1 << 20 // bytes of a field
)

type table struct {
	done chan struct{} // closed when the rest is there
	rows map[string]row
	text []byte
	err  error // of what kept it from being made; nobody else meets it
	bad  error // what is wrong with the lock file: there are no rows
}

// row is what one project reaches. Those of which this is not known have none.
type row struct {
	digest digest.Digest
	count  int
}

// table gives that of a lock file as it is.
func (f *Finder) table(ctx context.Context, l *workspace.Lock, found *Found) (*table, error) {
	f.mu.Lock()
	of := f.hangsOn(l, found.Digest)
	t := f.tables[of]
	mine := t == nil
	if mine {
		t = &table{done: make(chan struct{})}
		f.tables[of] = t
	}
	f.mu.Unlock()
	if !mine {
		select {
		case <-t.done:
			return t, t.err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}
	defer close(t.done)
	t.err = errors.New("reading a lock file panicked")
	if t.err = f.fill(t, l, found, of); t.err != nil {
		f.mu.Lock()
		delete(f.tables, of)
		f.mu.Unlock()
	}
	return t, t.err
}

// fill takes what is kept, or reads the lock file.
func (f *Finder) fill(t *table, l *workspace.Lock, found *Found, of digest.Digest) error {
	if data, ok := f.o.State.Packages(of); ok {
		if h, ok := readRows(data, l.File); ok && h.start == f.o.State.Start() {
			if t.text = data; h.broken != "" {
				t.bad = errors.New(h.broken)
			}
			t.rows = make(map[string]row, len(h.members))
			for _, m := range h.members {
				t.rows[m.dir] = m.row
			}
			return nil
		}
	}
	lock, err := f.read(l, found.files)
	var broken *Broken
	switch {
	case errors.Is(err, errMoved):
		return err
	case errors.As(err, &broken): // by its bytes: whoever reads it again finds the same
		t.bad = broken.Err
		t.text = f.makeBroken(l, broken.Err)
	case err != nil:
		t.bad = err
		return nil
	default:
		t.rows, t.text = f.make(l, lock)
	}
	f.o.State.WritePackages(of, t.text)
	return nil
}

// hangsOn is the digest of all that a table hangs on. The caller holds mu.
func (f *Finder) hangsOn(l *workspace.Lock, whole digest.Digest) digest.Digest {
	members, known := f.members[l]
	if !known {
		var w text.Writer
		for i := range l.Members {
			m := &l.Members[i]
			w.Line(wordMember)
			w.Str(m.Dir)
			w.Str(m.Name)
			for _, n := range m.Needs {
				w.Line("need")
				w.Str(n.Name)
				w.Str(n.Spec)
				if n.Dev {
					w.Word("dev")
				}
			}
			for _, list := range [][]int{m.Uses, m.Above} {
				w.Line("uses")
				for _, u := range list {
					w.Num(int64(u))
				}
			}
		}
		members = w.Sum(digest.BLAKE3)
		f.members[l] = members
	}
	var w text.Writer
	w.Head(tableKind, tableRevision, f.o.Hash)
	w.Line(wordLock)
	w.Str(l.File)
	w.Digest(whole)
	w.Digest(members)
	return w.Sum(digest.BLAKE3)
}

// make makes a table of what a lock file says.
func (f *Finder) make(l *workspace.Lock, lock *lockfile.Lock) (map[string]row, []byte) {
	members := make([]lockfile.Member, len(l.Members))
	root := strings.TrimSuffix(l.File[:strings.LastIndexByte(l.File, '/')+1], "/")
	for i, m := range l.Members {
		to := &members[i]
		to.Dir, to.Name, to.Uses, to.Above = cmp.Or(strings.TrimPrefix(strings.TrimPrefix(m.Dir, root), "/"), "."), m.Name, m.Uses, m.Above
		for _, n := range m.Needs {
			to.Needs = append(to.Needs, lockfile.Need(n))
		}
	}
	reached, known := lock.Reach(members)
	list, rank := ranked(lock.Packages)
	sums := make([]byte, 0, len(list)*digest.Size)
	for _, p := range list {
		sum := sumOf(f.o.Hash, p)
		sums = append(sums, sum[:]...)
	}
	w, sets := f.head(l), text.Writer{}
	rows := make(map[string]row, len(members))
	for i := range members {
		if !known[i] {
			continue
		}
		set := make([]byte, (len(list)+7)/8)
		for _, p := range reached[i] {
			set[rank[p]/8] |= 1 << (rank[p] % 8)
		}
		r := row{listDigest(f.o.Hash, set, func(at int) []byte { return sums[at*digest.Size : (at+1)*digest.Size] }), count(set)}
		dir := l.Members[i].Dir
		rows[dir] = r
		w.Line(wordMember)
		w.Str(dir)
		w.Digest(r.digest)
		w.Num(int64(r.count))
		sets.Line(wordReach)
		sets.Str(hex.EncodeToString(set))
	}
	for _, p := range list {
		w.Line(wordPackage)
		w.Str(p.Name)
		w.Str(p.Version)
		w.Str(p.Pin)
	}
	if len(sets.B) > 0 {
		w.B = append(append(w.B, '\n'), sets.B...)
	}
	w.Seal(f.o.Hash)
	return rows, w.B
}

// makeBroken makes a table of a lock file that cannot be read as one.
func (f *Finder) makeBroken(l *workspace.Lock, bad error) []byte {
	w := f.head(l)
	w.Line(wordBroken)
	w.Str(bad.Error()[:min(len(bad.Error()), maxText)])
	w.Seal(f.o.Hash)
	return w.B
}

func (f *Finder) head(l *workspace.Lock) (w text.Writer) {
	w.Head(tableKind, tableRevision, f.o.Hash)
	w.Line(wordStart)
	w.Digest(f.o.State.Start())
	w.Line(wordLock)
	w.Str(l.File)
	return w
}

// ranked are packages in order, each once, and where each of those given is among them.
func ranked(packages []lockfile.Package) (list []lockfile.Package, rank []int) {
	compare := func(a, b lockfile.Package) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), strings.Compare(a.Version, b.Version), strings.Compare(a.Pin, b.Pin))
	}
	list = slices.Clone(packages)
	slices.SortFunc(list, compare)
	list = slices.Compact(list)
	rank = make([]int, len(packages))
	for i, p := range packages {
		rank[i], _ = slices.BinarySearchFunc(list, p, compare)
	}
	return list, rank
}

// sumOf is the digest of a package.
func sumOf(fn digest.Function, p lockfile.Package) digest.Digest {
	var w text.Writer
	w.Line(wordPackage)
	w.Str(p.Name)
	w.Str(p.Version)
	w.Str(p.Pin)
	return w.Sum(fn)
}

// listDigest is the digest of a set of packages, by those of each.
func listDigest(fn digest.Function, set []byte, sum func(at int) []byte) digest.Digest {
	b := make([]byte, 0, count(set)*digest.Size)
	for at := range len(set) * 8 {
		if set[at/8]&(1<<(at%8)) != 0 {
			b = append(b, sum(at)...)
		}
	}
	return hasher.Sum(fn, b)
}

func count(set []byte) (n int) {
	for _, b := range set {
		n += bits.OnesCount8(b)
	}
	return n
}

// readRows reads the rows of a table that holds together.
func readRows(data []byte, lock string) (h head, ok bool) {
	r, _, ok := open(data)
	if !ok {
		return h, false
	}
	h = readHead(r)
	return h, r.Err() == nil && h.lock == lock
}

// open compares the digest at the end of a table, and begins to read it.
func open(data []byte) (r *text.Reader, fn digest.Function, ok bool) {
	if len(data) == 0 {
		return nil, fn, false
	}
	last := bytes.LastIndexByte(data[:len(data)-1], '\n') + 1
	end := text.Read(data[last:])
	end.Line("digest")
	want := end.Digest()
	r = text.Verified(data)
	revision, hash := r.Head(tableKind)
	fn, known := digest.ParseFunction(hash)
	return r, fn, end.Err() == nil && !end.More() && r.Err() == nil && revision == tableRevision && known && hasher.Sum(fn, data[:last]) == want
}

type member struct {
	dir string
	row
}

// head is what a table begins with.
type head struct {
	start   digest.Digest
	lock    string
	broken  string // what is wrong with the lock file
	members []member
}

func readHead(r *text.Reader) (h head) {
	r.Line(wordStart)
	h.start = r.Digest()
	r.Line(wordLock)
	h.lock = r.Str(maxText)
	if r.Err() == nil && r.At(wordBroken) {
		r.Line(wordBroken)
		h.broken = r.Str(maxText)
	}
	for r.Err() == nil && r.At(wordMember) {
		r.Line(wordMember)
		m := member{dir: r.Str(maxText)}
		m.digest, m.count = r.Digest(), int(r.Num())
		h.members = append(h.members, m)
	}
	return h
}

// List is what the project in a folder reached when the digest of that was so: of the lock files as they are, or as they were. ok is false
// when nobody knows any more. What is kept is believed when it has that digest.
func (f *Finder) List(l *workspace.Lock, dir string, was digest.Digest) (list []lockfile.Package, ok bool) {
	look := func(data []byte) bool {
		list, ok = f.listIn(data, l.File, dir, was)
		return ok
	}
	f.mu.Lock()
	var texts [][]byte
	for _, t := range f.tables {
		select {
		case <-t.done:
			texts = append(texts, t.text)
		default:
		}
	}
	f.mu.Unlock()
	if slices.ContainsFunc(texts, look) {
		return list, true
	}
	f.o.State.EachPackages(look)
	return list, ok
}

// listIn is List in one table.
func (f *Finder) listIn(data []byte, lock, dir string, was digest.Digest) (list []lockfile.Package, ok bool) {
	r, fn, ok := open(data)
	if !ok || fn != f.o.Hash {
		return nil, false
	}
	h := readHead(r)
	at := slices.IndexFunc(h.members, func(m member) bool { return m.dir == dir && m.digest == was })
	if h.lock != lock || at < 0 {
		return nil, false
	}
	var all []lockfile.Package
	for r.Err() == nil && r.At(wordPackage) {
		r.Line(wordPackage)
		all = append(all, lockfile.Package{Name: r.Str(maxText), Version: r.Str(maxText), Pin: r.Str(maxText)})
	}
	var set []byte
	for i := 0; i <= at && r.Err() == nil; i++ {
		r.Line(wordReach)
		digits := r.Str(len(all)/4 + 2)
		if i == at {
			set, _ = hex.DecodeString(digits)
		}
	}
	if r.Err() != nil || len(set) != (len(all)+7)/8 {
		return nil, false
	}
	sums := make([][]byte, len(set)*8)
	for i := range all {
		if set[i/8]&(1<<(i%8)) != 0 {
			sum := sumOf(fn, all[i])
			sums[i] = sum[:]
			list = append(list, all[i])
		}
	}
	return list, listDigest(fn, set, func(at int) []byte { return sums[at] }) == was
}
