package state

import (
	"encoding/binary"
	"hash/maphash"
	"math"
	"math/bits"
	"slices"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/fsys"
)

// table is the rows of an index file, used where they lie: fifty thousand rows are ready in a few milliseconds, because
// nothing but the hash table is made for them.
//
// The payload is: hash function (1 byte), cursor (4), number of rows (4), rows of rowSize bytes sorted by path, and all
// paths one after the other. Numbers are little-endian.
type table struct {
	volumes []volume // on which the rows were learned

	cursor int
	rows   []byte
	paths  string
	seed   maphash.Seed
	slots  []uint64 // upper half: of the path's hash; lower half: row + 1, or 0
}

const (
	tableHead = 1 + 4 + 4
	rowSize   = 4 + 6*8 + digest.Size // end of the path; size, mtime, ctime, inode, device, recorded-at; digest
)

func parseTable(payload []byte, fn digest.Function) (*table, bool) {
	if len(payload) < tableHead || payload[0] != byte(fn) {
		return nil, false
	}
	n := int64(binary.LittleEndian.Uint32(payload[5:]))
	rest := payload[tableHead:]
	if n*rowSize > int64(len(rest)) {
		return nil, false
	}
	t := &table{cursor: int(binary.LittleEndian.Uint32(payload[1:]) & math.MaxInt32), rows: rest[:n*rowSize], paths: string(rest[n*rowSize:])}
	end := uint32(0)
	for i := range int(n) {
		next := t.end(i)
		if next < end || int64(next) > int64(len(t.paths)) {
			return nil, false
		}
		end = next
	}
	if int64(end) != int64(len(t.paths)) {
		return nil, false
	}
	t.build()
	return t, true
}

// build fills the hash table, which is at most half full.
func (t *table) build() {
	n := t.len()
	t.seed = maphash.MakeSeed()
	t.slots = make([]uint64, 1<<bits.Len(uint(2*n)))
	mask := uint64(len(t.slots) - 1)
	start := uint32(0)
	for i := range n {
		end := t.end(i)
		h := maphash.String(t.seed, t.paths[start:end])
		at := h & mask
		for t.slots[at] != 0 {
			at = (at + 1) & mask
		}
		t.slots[at] = h&^math.MaxUint32 | uint64(i+1)
		start = end
	}
}

// find returns the row of a path, -1 when there is none.
func (t *table) find(name string) int {
	if len(t.slots) == 0 {
		return -1
	}
	mask := uint64(len(t.slots) - 1)
	h := maphash.String(t.seed, name)
	for at := h & mask; t.slots[at] != 0; at = (at + 1) & mask {
		if s := t.slots[at]; (s^h)>>32 == 0 {
			if i := int(uint32(s)) - 1; t.name(i) == name {
				return i
			}
		}
	}
	return -1
}

func (t *table) len() int { return len(t.rows) / rowSize }

func (t *table) end(i int) uint32 { return binary.LittleEndian.Uint32(t.rows[i*rowSize:]) }

func (t *table) name(i int) string {
	start := uint32(0)
	if i > 0 {
		start = t.end(i - 1)
	}
	return t.paths[start:t.end(i)]
}

func (t *table) row(i int) (r row) {
	b := t.rows[i*rowSize+4 : (i+1)*rowSize]
	field := func(k int) uint64 { return binary.LittleEndian.Uint64(b[8*k:]) }
	r.info = fsys.Info{Kind: fsys.File, Size: int64(field(0)), MTime: int64(field(1)), CTime: int64(field(2)), Inode: field(3), Dev: field(4)}
	r.recorded = int64(field(5))
	copy(r.digest[:], b[48:])
	return r
}

// without adds the rows of files on some devices to those that are gone.
func (t *table) without(devices []uint64, gone map[int]bool) map[int]bool {
	if len(devices) == 0 {
		return gone
	}
	if gone == nil {
		gone = map[int]bool{}
	}
	for i := range t.len() {
		if slices.Contains(devices, binary.LittleEndian.Uint64(t.rows[i*rowSize+4+4*8:])) {
			gone[i] = true
		}
	}
	return gone
}

// appendTable writes the payload of an index: the rows of base but those that are gone, and the learned ones, whose sorted
// names are given and which win.
func appendTable(b []byte, fn digest.Function, cursor int, base *table, gone map[int]bool, names []string, learned map[string]row) []byte {
	b = append(b, byte(fn))
	b = binary.LittleEndian.AppendUint32(b, uint32(cursor))
	head := len(b)
	b = binary.LittleEndian.AppendUint32(b, 0)
	kept, end := 0, uint32(0)
	paths := make([]byte, 0, len(base.paths)+64*len(names))
	add := func(name string) bool {
		if uint64(end)+uint64(len(name)) > math.MaxUint32 {
			return false // four gigabytes of paths: the rest is not worth remembering
		}
		end += uint32(len(name))
		paths = append(paths, name...)
		b = binary.LittleEndian.AppendUint32(b, end)
		kept++
		return true
	}
	for i, n := 0, base.len(); i < n || len(names) > 0; {
		switch {
		case i < n && (len(names) == 0 || base.name(i) < names[0]):
			if !gone[i] && add(base.name(i)) {
				b = append(b, base.rows[i*rowSize+4:(i+1)*rowSize]...)
			}
			i++
		default:
			if i < n && base.name(i) == names[0] {
				i++
			}
			if r := learned[names[0]]; add(names[0]) {
				for _, v := range [...]uint64{uint64(r.info.Size), uint64(r.info.MTime), uint64(r.info.CTime), r.info.Inode, r.info.Dev, uint64(r.recorded)} {
					b = binary.LittleEndian.AppendUint64(b, v)
				}
				b = append(b, r.digest[:]...)
			}
			names = names[1:]
		}
	}
	binary.LittleEndian.PutUint32(b[head:], uint32(kept))
	return append(b, paths...)
}
