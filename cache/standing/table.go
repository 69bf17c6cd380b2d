package standing

import (
	"encoding/binary"
	"math"
	"slices"
	"sort"
	"strings"
	"unsafe"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
)

// Table is a file of records, used where it lies.
type Table struct {
	Head    Head
	devices []byte
	looks   []byte
	names   string // of looks
	records []byte
	tasks   string
	refs    []byte
	results []byte
}

// Read makes a table of a payload; ok is false where it does not hold together. The payload is not to be changed afterwards.
func Read(payload []byte) (t *Table, ok bool) {
	if len(payload) < headSize+countsSize {
		return nil, false
	}
	t = &Table{}
	t.readHead(payload[:headSize])
	counts, rest := payload[headSize:headSize+countsSize], payload[headSize+countsSize:]
	take := func(size int) (part []byte) {
		n := int64(order.Uint32(counts)) * int64(size)
		counts = counts[4:]
		if ok = ok && n <= int64(len(rest)); ok {
			part, rest = rest[:n:n], rest[n:]
		}
		return part
	}
	text := func(b []byte) string { return unsafe.String(unsafe.SliceData(b), len(b)) }
	ok = true
	t.devices, t.looks, t.names = take(8), take(lookSize), text(take(1))
	t.records, t.tasks, t.refs, t.results = take(recordSize), text(take(1)), take(4), take(1)
	if !ok || len(rest) > 0 || !t.checkLooks() || !t.checkRecords() {
		return nil, false
	}
	return t, true
}

func readInfo(b []byte) fsys.Info {
	field := func(k int) uint64 { return order.Uint64(b[8*k:]) }
	i := fsys.Info{Dev: field(0), Inode: field(1), Size: int64(field(2)), MTime: int64(field(3)), CTime: int64(field(4))}
	if i != (fsys.Info{}) {
		i.Kind = fsys.Dir
	}
	return i
}

func (t *Table) readHead(b []byte) {
	h := &t.Head
	h.World = digest.Digest(b[:digest.Size])
	b = b[digest.Size:]
	h.Log = state.ProductLog{Dev: order.Uint64(b), Inode: order.Uint64(b[8:]), Size: int64(order.Uint64(b[16:])), MTime: int64(order.Uint64(b[24:])), CTime: int64(order.Uint64(b[32:]))}
	h.Fresh = uint32(min(order.Uint64(b[40:]), math.MaxInt32))
	b = b[48:]
	for i := range h.Shards {
		h.Shards[i] = readInfo(b[i*infoSize:])
	}
}

// checkLooks looks at the rows of looks: each lies in a folder that stands before it, and has a name that nothing but a path has.
func (t *Table) checkLooks() bool {
	end := uint32(0)
	for i := range t.Looks() {
		b := t.looks[i*lookSize:]
		in, next := order.Uint32(b), order.Uint32(b[4:])
		if next < end || int64(next) > int64(len(t.names)) || in != noFolder && int64(in) >= int64(i) || Kind(b[8]) >= kinds ||
			fsys.Kind(b[9]) > fsys.Special || order.Uint32(b[12:]) >= uint32(len(t.devices)/8) && Kind(b[8]).states() {
			return false
		}
		if in != noFolder && !t.isFolder(int(in)) || !isName(t.names[end:next]) && (next > end || in != noFolder) {
			return false
		}
		end = next
	}
	return int(end) == len(t.names)
}

// isFolder reports whether something may lie in a row.
func (t *Table) isFolder(i int) bool {
	b := t.looks[i*lookSize:]
	l := Look{Kind: Kind(b[8]), Info: fsys.Info{Kind: fsys.Kind(b[9])}}
	return l.isFolder()
}

// isName reports whether it is a name of one thing in a folder.
func isName(name string) bool {
	return name != "" && name != "." && name != ".." && strings.IndexByte(name, 0) < 0 && strings.IndexByte(name, '/') < 0
}

// checkRecords looks at the rows of records: they are sorted by task, each once, and refer to looks that there are.
func (t *Table) checkRecords() bool {
	var ends [3]uint32
	limits := [3]int{len(t.tasks), len(t.refs) / 4, len(t.results)}
	last := ""
	for i := range t.Len() {
		b := t.records[i*recordSize:]
		for k := range ends {
			next := order.Uint32(b[4*k:])
			if next < ends[k] || int64(next) > int64(limits[k]) {
				return false
			}
			ends[k] = next
		}
		name := t.Task(i)
		if i > 0 && name <= last {
			return false
		}
		last = name
	}
	for r := t.refs; len(r) > 0; r = r[4:] {
		if int64(order.Uint32(r)&^inputFlag) >= int64(t.Looks()) {
			return false
		}
	}
	return int(ends[0]) == len(t.tasks) && int(ends[1])*4 == len(t.refs) && int(ends[2]) == len(t.results)
}

// Devices are those of the looks, and of the cache.
func (t *Table) Devices() []uint64 {
	list := make([]uint64, len(t.devices)/8)
	for i := range list {
		list[i] = order.Uint64(t.devices[8*i:])
	}
	return list
}

// Names are those of something on each device that there are looks at.
func (t *Table) Names() map[uint64]string {
	names := map[uint64]string{}
	for i := 0; i < t.Looks() && len(names) < len(t.devices)/8; i++ {
		if dev := t.Look(i).Info.Dev; dev != 0 && names[dev] == "" {
			names[dev] = t.Path(i)
		}
	}
	return names
}

// Looks is how many looks there are, Len how many records.
func (t *Table) Looks() int { return len(t.looks) / lookSize }
func (t *Table) Len() int   { return len(t.records) / recordSize }

// part is where what belongs to a record lies.
func (t *Table) part(i, column int) (from, to uint32) {
	if i > 0 {
		from = order.Uint32(t.records[(i-1)*recordSize+4*column:])
	}
	return from, order.Uint32(t.records[i*recordSize+4*column:])
}

// Task is the id of the task of a record.
func (t *Table) Task(i int) string {
	from, to := t.part(i, 0)
	return t.tasks[from:to]
}

// Find is the record of a task; -1: there is none.
func (t *Table) Find(task string) int {
	i, ok := sort.Find(t.Len(), func(i int) int { return strings.Compare(task, t.Task(i)) })
	if !ok {
		return -1
	}
	return i
}

// In is the row of the folder in which a look lies; -1: the root of the workspace, or it is that.
func (t *Table) In(i int) int {
	if in := order.Uint32(t.looks[i*lookSize:]); in != noFolder {
		return int(in)
	}
	return -1
}

// Name is that of a look in its folder.
func (t *Table) Name(i int) string {
	from := uint32(0)
	if i > 0 {
		from = order.Uint32(t.looks[(i-1)*lookSize+4:])
	}
	return t.names[from:order.Uint32(t.looks[i*lookSize+4:])]
}

// Path is the whole path of a look; "" for one that is deeper than any that is written.
func (t *Table) Path(i int) string {
	var names []string
	for ; i >= 0; i = t.In(i) {
		if names = append(names, t.Name(i)); len(names) > maxDepth {
			return ""
		}
	}
	slices.Reverse(names)
	return "/" + strings.Join(names, "/")
}

// maxDepth is how deep in the tree a look lies at most.
const maxDepth = 1 << 10

// Look is a look without its path.
func (t *Table) Look(i int) (l Look) {
	b := t.looks[i*lookSize : (i+1)*lookSize]
	if l.Kind = Kind(b[8]); !l.Kind.states() {
		return l
	}
	field := func(k int) uint64 { return order.Uint64(b[16+8*k:]) }
	l.Info = fsys.Info{Kind: fsys.Kind(b[9]), Perm: uint32(order.Uint16(b[10:])), Dev: order.Uint64(t.devices[8*order.Uint32(b[12:]):]),
		Size: int64(field(0)), MTime: int64(field(1)), CTime: int64(field(2)), Inode: field(3)}
	return l
}

// Refs yields the rows of the looks of a record, and whether each is an input.
func (t *Table) Refs(i int) func(yield func(look int, input bool) bool) {
	from, to := t.part(i, 1)
	return func(yield func(int, bool) bool) {
		for ; from < to; from++ {
			ref := order.Uint32(t.refs[4*from:])
			if !yield(int(ref&^inputFlag), ref&inputFlag != 0) {
				return
			}
		}
	}
}

// Short is what a record says in fixed places: all but looks, streams and outputs.
func (t *Table) Short(i int) (r Record) {
	b := t.records[i*recordSize : (i+1)*recordSize]
	r.Task, r.Attempt = t.Task(i), int(order.Uint32(b[12:]))
	b = b[16:]
	for _, d := range []*digest.Digest{&r.Key, &r.Asked, &r.Upstreams, &r.Closure, &r.Product} {
		*d = digest.Digest(b[:digest.Size])
		b = b[digest.Size:]
	}
	r.Touched, r.List = int64(order.Uint64(b)), state.Place{Off: int64(order.Uint64(b[8:])), Size: int64(order.Uint64(b[16:]))}
	r.Entry = readInfo(b[24:])
	return r
}

// list is where the product list of a record lies.
func (t *Table) list(i int) state.Place {
	b := t.records[i*recordSize+16+5*digest.Size:]
	return state.Place{Off: int64(order.Uint64(b[8:])), Size: int64(order.Uint64(b[16:]))}
}

// Record is all of a record. ok is false where it does not hold together.
func (t *Table) Record(i int) (r Record, ok bool) {
	r = t.Short(i)
	if !t.Result(i, &r) {
		return r, false
	}
	for at, input := range t.Refs(i) {
		l := t.Look(at)
		if l.Path = t.Path(at); l.Path == "" {
			return r, false
		}
		r.Looks = append(r.Looks, l)
		if input {
			r.Inputs = append(r.Inputs, l.Path)
		}
	}
	slices.Sort(r.Inputs)
	r.Inputs = slices.Compact(r.Inputs)
	return r, true
}

// Result is the streams and outputs of a record, in r. ok is false where it does not hold together.
func (t *Table) Result(i int, r *Record) (ok bool) {
	from, to := t.part(i, 2)
	d := decoder{b: t.results[from:to], ok: true}
	r.StdoutLen, r.StderrLen = int64(d.number()), int64(d.number())
	r.Stdout, r.Stderr = d.digest(), d.digest()
	r.Order = d.text()
	n := d.number()
	if n > uint64(len(d.b)) || r.StdoutLen < 0 || r.StderrLen < 0 {
		return false
	}
	r.Outputs = make([]Output, 0, n)
	for range n {
		o, ok := t.output(&d)
		if !ok {
			return false
		}
		r.Outputs = append(r.Outputs, o)
	}
	return d.ok && len(d.b) == 0
}

func (t *Table) output(d *decoder) (o Output, ok bool) {
	head := d.take(5)
	if !d.ok || int64(order.Uint32(head[1:])) >= int64(t.Looks()) {
		return o, false
	}
	at := int(order.Uint32(head[1:]))
	l := t.Look(at)
	o.Info = l.Info
	o.Path, o.Kind, o.Found = t.Path(at), entry.OutputKind(head[0]&^foundFlag), head[0]&foundFlag != 0
	switch {
	case o.Kind == entry.File && l.Kind == Thing && l.Info.Kind == fsys.File:
		o.Digest, o.Size, o.Mode = d.digest(), l.Info.Size, l.Info.Perm
	case o.Kind == entry.Link && l.Kind == Thing && l.Info.Kind == fsys.Link:
		o.Target = d.text()
	case o.Kind == entry.Dir && l.Kind == Mode:
		o.Mode = l.Info.Perm
	default:
		return o, false
	}
	return o, d.ok
}

// decoder takes a result apart.
type decoder struct {
	b  []byte
	ok bool
}

func (d *decoder) take(n uint64) (part []byte) {
	if d.ok = d.ok && n <= uint64(len(d.b)); !d.ok {
		return make([]byte, min(n, digest.Size))
	}
	part, d.b = d.b[:n:n], d.b[n:]
	return part
}

func (d *decoder) number() uint64 {
	n, size := binary.Uvarint(d.b)
	if d.ok = d.ok && size > 0; !d.ok {
		return 0
	}
	d.b = d.b[size:]
	return n
}

func (d *decoder) digest() digest.Digest { return digest.Digest(d.take(digest.Size)) }

func (d *decoder) text() string {
	n := d.number()
	if n > uint64(len(d.b)) {
		d.ok = false
		return ""
	}
	return string(d.take(n))
}
