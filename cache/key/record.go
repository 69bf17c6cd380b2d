package key

import (
	"encoding/binary"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/workspace"
)

// A record of a key (8.3) is: key, mark of the secret, hash function, time, run; components 1 to 4 as they are fed into
// the key; upstreams with all that is known of them; then the environment, in which a digest salted with the secret stands for each value, so that a value is
// neither kept nor can it be guessed from the record alone (S-13).
//
// Its first state.RecordHead bytes, key and mark, say whether one on disk need not be replaced.

// maxParts is how many items a record has at most: words of the command, output patterns, inputs, upstreams, variables. Of a key
// with more, the head alone is recorded: reading the record, which anybody may have made, must not take much memory.
const maxParts = 1 << 18

// Recorded says which run made a record, and when.
type Recorded struct {
	Run  string
	Unix int64
	Key  digest.Digest
}

// Record serializes the components of a derived key for `why --diff` (8.3); environment values are salted digests.
func (d *Deriver) Record(t *workspace.Task, at *Derived, secret []byte, run string, unix int64) []byte {
	c := d.components(t, at.Inputs, at.Upstreams)
	b := make([]byte, 0, c.size()+state.RecordHead+48*len(c.env))
	b = append(b, at.Key[:]...)
	mark := markOf(secret)
	b = append(b, mark[:]...)
	if len(c.argv)+len(c.outputs)+len(c.inputs)+len(c.upstreams)+len(c.env) > maxParts {
		return b
	}
	b = append(b, byte(c.hash))
	b = binary.BigEndian.AppendUint64(b, uint64(unix))
	b = appendStr(b, run)
	b = c.appendBody(b)
	b = c.appendRecordUpstreams(b)
	for i := range c.env {
		if v := &c.env[i]; v.present {
			sum := salted(secret, *v)
			v.value = string(sum[:])
		}
	}
	return c.appendRecordEnv(b)
}

// appendRecordUpstreams appends the upstreams as a record holds them.
func (c *components) appendRecordUpstreams(b []byte) []byte {
	b = append(b, tagUpstreams)
	b = appendCount(b, len(c.upstreams))
	for i := range c.upstreams {
		b = c.upstreams[i].appendRecord(b)
	}
	return b
}

// appendRecordEnv appends the environment as a record holds it; values are salted digests.
func (c *components) appendRecordEnv(b []byte) []byte {
	b = append(b, tagEnv)
	b = appendCount(b, len(c.env))
	for i := range c.env {
		v := &c.env[i]
		b = appendStr(b, v.name)
		b = append(b, flag(v.present), flag(v.host))
		if v.present {
			b = append(b, v.value...)
		}
	}
	return b
}

func flag(on bool) byte {
	if on {
		return 1
	}
	return 0
}

// markOf tells records of different secrets apart without telling anything of the secret.
func markOf(secret []byte) digest.Digest {
	return hasher.Sum(digest.BLAKE3, append([]byte("haz: mark of a secret\x00"), secret...))
}

// salted is what a record keeps of a value. The name is part of it, so that equal values of two variables do not show.
func salted(secret []byte, v variable) digest.Digest {
	b := append([]byte("haz: value of a variable\x00"), secret...)
	b = appendStr(b, v.name)
	return hasher.Sum(digest.BLAKE3, append(b, v.value...))
}

// readRecord is the inverse of Record. Values of variables are salted digests.
func readRecord(record, secret []byte) (c *components, made Recorded, ok bool) {
	r := reader{rest: record, ok: true, parts: maxParts}
	made.Key = r.digest()
	if r.digest() != markOf(secret) {
		return nil, made, false
	}
	c = &components{hash: digest.Function(r.byte())}
	made.Unix = int64(r.uint64())
	made.Run = r.str()
	r.body(c)
	r.tag(tagEnv)
	for range r.items(8 + 2) {
		v := variable{name: r.str()}
		v.present, v.host = r.bool(), r.bool()
		if v.present {
			v.value = string(r.take(digest.Size))
		}
		c.env = append(c.env, v)
	}
	return c, made, r.ok && len(r.rest) == 0
}

// FromRecord is the key that a record was made of, and its inputs, without their stat.
func FromRecord(record, secret []byte) (*Derived, bool) {
	c, made, ok := readRecord(record, secret)
	if !ok {
		return nil, false
	}
	return &Derived{Key: made.Key, Inputs: c.inputs}, true
}

// reader takes values off the front of rest. After one that is not there, ok is false and all others are zero.
type reader struct {
	rest  []byte
	ok    bool
	parts int // that may still come
}

func (r *reader) body(c *components) {
	r.tag(tagPlace)
	c.place.OS, c.place.Arch = r.str(), r.str()
	c.place.Umask = r.uint32()
	c.dir = r.str()
	r.tag(tagAction)
	switch r.byte() {
	case actionShell:
		c.shell = true
	case actionCommand:
	default:
		r.fail()
	}
	for range r.items(8) {
		c.argv = append(c.argv, r.str())
	}
	if c.shell && len(c.argv) < 2 {
		r.fail() // neither name nor script
	}
	r.tag(tagOutputs)
	for range r.items(1 + 8) {
		c.outputs = append(c.outputs, outputPattern{r.byte(), r.str()})
	}
	if c.keeps = len(r.rest) > 0 && r.rest[0] == tagIncremental; c.keeps {
		r.tag(tagIncremental)
	}
	r.tag(tagInputs)
	n := r.items(8 + 2)
	c.inputs = make([]Input, 0, n)
	for range n {
		c.inputs = append(c.inputs, r.input())
	}
	r.tag(tagUpstreams)
	for range r.items(16 + 2 + 2*digest.Size) {
		c.upstreams = append(c.upstreams, r.upstream())
	}
}

func (r *reader) input() (in Input) {
	in.Path = r.str()
	in.Kind = InputKind(r.byte())
	in.Exec = r.bool()
	switch in.Kind {
	case FileInput:
		in.Digest = r.digest()
	case LinkInput:
		in.LinkText = r.str()
		if in.Target = r.byte(); in.Target == TargetFile {
			in.Digest = r.digest()
		}
	case DirInput:
	default:
		r.fail()
	}
	return in
}

func (r *reader) fail() { r.ok, r.rest = false, nil }

func (r *reader) take(n int) []byte {
	if !r.ok || n > len(r.rest) {
		r.fail()
		return nil
	}
	b := r.rest[:n]
	r.rest = r.rest[n:]
	return b
}

func (r *reader) tag(want byte) {
	if r.byte() != want {
		r.fail()
	}
}

func (r *reader) byte() byte {
	if b := r.take(1); b != nil {
		return b[0]
	}
	return 0
}

func (r *reader) bool() bool {
	b := r.byte()
	if b > 1 {
		r.fail()
	}
	return b == 1
}

func (r *reader) uint32() uint32 {
	if b := r.take(4); b != nil {
		return binary.BigEndian.Uint32(b)
	}
	return 0
}

func (r *reader) uint64() uint64 {
	if b := r.take(8); b != nil {
		return binary.BigEndian.Uint64(b)
	}
	return 0
}

// items is count for the parts of a record.
func (r *reader) items(size int) int {
	n := r.count(size)
	if r.parts -= n; r.parts < 0 {
		r.fail()
		return 0
	}
	return n
}

// count is the number of items of a list, each of at least size bytes: no number makes us do more than the record is long.
func (r *reader) count(size int) int {
	n := r.uint64()
	if n > uint64(len(r.rest)/size) {
		r.fail()
		return 0
	}
	return int(n)
}

func (r *reader) str() string { return string(r.take(r.count(1))) }

func (r *reader) digest() (d digest.Digest) {
	copy(d[:], r.take(digest.Size))
	return d
}
