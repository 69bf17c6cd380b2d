package manifest

import (
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"
	"unicode/utf8"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/hasher"
)

// Decode reads a manifest and checks everything that can be checked without looking at blobs, its own digest included.
// b is used as scratch space: its bytes are not the same afterwards.
//
// The error is a *SchemaError when the manifest is of another revision or of no known hash function.
func Decode(b []byte) (*Manifest, error) {
	d := decoder{buf: b, end: len(b), whole: true}
	m, err := d.manifest()
	if err != nil {
		if s := foreignSchema(b); s != nil {
			return nil, s
		}
		return nil, err
	}
	return m, nil
}

// DecodeFrom is Decode for a manifest that is too long to be read in one piece. Memory grows with what was read and found
// valid, never with a number that the file claims.
func DecodeFrom(r io.Reader) (*Manifest, error) {
	d := decoder{src: io.LimitReader(r, maxManifest+1), buf: make([]byte, 4*maxText)}
	return d.manifest()
}

// A decoder reads the one spelling that Encode writes, through a window that it refills.
type decoder struct {
	src   io.Reader // nil when whole
	buf   []byte
	pos   int  // next byte to look at
	end   int  // behind the last byte in buf
	whole bool // buf is the file
	total int64

	// The digest of what has left the window, for files that do not fit.
	self  hash.Hash
	ready error // of src, once it has one
}

var errSpelling = errors.New("not spelled as manifests are")

func (d *decoder) manifest() (*Manifest, error) {
	m := &Manifest{}
	revision, err := d.schema(m)
	if err != nil {
		return nil, err
	}
	if revision != Revision {
		return nil, &SchemaError{Revision: revision, Hash: m.Hash.String()}
	}
	m.Revision = revision
	if !d.whole {
		d.self = hasher.New(m.Hash)
	}
	d.expect(wordKey)
	d.digest((*digest.Digest)(&m.Key))
	d.expect(wordRoot)
	m.Root = d.text()
	d.expect(wordRootIn)
	m.RootIn = d.text()
	d.expect(wordOutputs)
	declared, err := d.outputs(m)
	if err != nil {
		return nil, err
	}
	d.expect(wordStdout)
	m.StdoutLen = d.number()
	d.expect(wordStderr)
	m.StderrLen = d.number()
	d.expect(wordStdoutH)
	d.digest(&m.StdoutHash)
	d.expect(wordStderrH)
	d.digest(&m.StderrHash)
	d.expect(wordOrder)
	m.Order = StreamOrder(d.text())
	d.expect(wordExit)
	exit := d.number()
	d.expect(wordCreated)
	m.CreatedAt = d.number()
	d.expect(wordDuration)
	m.DurationMS = d.number()
	d.expect(wordTask)
	m.Task = d.text()
	d.expect(wordSelf)
	if d.ready != nil {
		return nil, d.ready
	}
	if exit > math.MaxInt32 {
		return nil, errors.New("exit status out of range")
	}
	m.ExitStatus = int(exit)
	if err := m.checkRest(declared); err != nil {
		return nil, err
	}
	if err := d.verify(m.Hash); err != nil {
		return nil, err
	}
	return m, nil
}

// schema reads the two fields that say how to read the rest.
func (d *decoder) schema(m *Manifest) (revision int, err error) {
	d.expect(wordRevision)
	n := d.number()
	d.expect(wordHash)
	name := d.plain()
	if d.ready != nil {
		return 0, d.ready
	}
	fn, known := digest.ParseFunction(name)
	if !known || n > math.MaxInt32 {
		return 0, &SchemaError{Revision: int(min(n, math.MaxInt32)), Hash: name}
	}
	m.Hash = fn
	return int(n), nil
}

func (d *decoder) outputs(m *Manifest) (total int64, err error) {
	if d.accept(']') {
		return 0, d.ready
	}
	var c outputsChecker
	for {
		var o entry.Output
		d.output(&o)
		if d.ready != nil {
			return 0, d.ready
		}
		if err := c.next(&o); err != nil {
			return 0, err
		}
		m.Outputs = append(m.Outputs, o)
		if !d.accept(',') {
			break
		}
	}
	d.expect(wordListEnd)
	return c.total, d.ready
}

func (d *decoder) output(o *entry.Output) {
	d.expect(wordItem)
	o.Path = d.text()
	d.expect(wordKind)
	switch d.plain() {
	case "file":
		o.Kind = entry.File
		d.expect(wordContent)
		d.digest(&o.Digest)
		d.expect(wordSize)
		o.Size = d.number()
		d.expect(wordMode)
		o.Mode = d.mode()
	case "dir":
		o.Kind = entry.Dir
		d.expect(wordDirMode)
		o.Mode = d.mode()
	case "link":
		o.Kind = entry.Link
		d.expect(wordTarget)
		o.Target = d.text()
		d.expect("\"")
	default:
		d.fail(errors.New("unknown kind of output"))
	}
	d.expect(wordItemEnd)
}

// verify compares the digest that stands here with that of the file, in which these digits are zeros (S-31).
func (d *decoder) verify(fn digest.Function) error {
	var want digest.Digest
	d.digest(&want)
	d.expect(wordEnd)
	if d.ready == nil && d.have(1) {
		d.fail(errors.New("bytes after the end"))
	}
	if d.ready != nil {
		return d.ready
	}
	copy(d.buf[d.pos-len(wordEnd)-2*digest.Size:], zeroDigits) // still there: have keeps that much
	var got digest.Digest
	if d.whole {
		got = hasher.Sum(fn, d.buf[:d.end])
	} else {
		d.self.Write(d.buf[:d.end])
		got = hasher.Of(d.self)
	}
	if got != want {
		return errors.New("manifest_hash does not match")
	}
	return nil
}

// fail keeps the first error; what is read after it is worth nothing.
func (d *decoder) fail(err error) {
	if d.ready == nil {
		d.ready = err
	}
}

// have makes sure that n bytes (at most maxText) lie in the window, and reports whether there are so many.
func (d *decoder) have(n int) bool {
	for d.end-d.pos < n {
		if d.whole || d.ready != nil {
			return false
		}
		if d.end == len(d.buf) {
			// Move what is not used yet to the front, and a little before it: that may be our own digest, see verify.
			keep := max(0, d.pos-len(wordEnd)-2*digest.Size)
			if d.self != nil {
				d.self.Write(d.buf[:keep])
			} else if keep > 0 {
				d.fail(errSpelling) // no manifest has so long a head
				return false
			}
			d.pos -= keep
			d.end = copy(d.buf, d.buf[keep:d.end])
		}
		k, err := d.src.Read(d.buf[d.end:])
		d.end += k
		if d.total += int64(k); d.total > maxManifest {
			d.fail(fmt.Errorf("more than %d bytes", maxManifest))
			return false
		}
		if err != nil && d.end-d.pos < n {
			if err != io.EOF {
				d.fail(&ReadError{Err: err})
			}
			return false
		}
	}
	return true
}

// A ReadError says that a manifest could not be read, which says nothing about what it holds.
type ReadError struct{ Err error }

func (e *ReadError) Error() string { return e.Err.Error() }
func (e *ReadError) Unwrap() error { return e.Err }

// expect reads exactly word.
func (d *decoder) expect(word string) {
	if d.ready != nil {
		return
	}
	if !d.have(len(word)) || string(d.buf[d.pos:d.pos+len(word)]) != word {
		d.fail(errSpelling)
		return
	}
	d.pos += len(word)
}

// accept reads c if it stands here.
func (d *decoder) accept(c byte) bool {
	if d.ready != nil || !d.have(1) || d.buf[d.pos] != c {
		return false
	}
	d.pos++
	return true
}

// number reads a decimal number from 0 to the largest int64, without leading zeros.
func (d *decoder) number() int64 {
	var n int64
	for count := 0; ; count++ {
		if d.ready != nil {
			return 0
		}
		if !d.have(1) || d.buf[d.pos] < '0' || d.buf[d.pos] > '9' {
			if count == 0 {
				d.fail(errors.New("a number is missing, or negative"))
			}
			return n
		}
		digit := int64(d.buf[d.pos] - '0')
		if count > 0 && n == 0 {
			d.fail(errors.New("a number with a leading zero"))
			return 0
		}
		if n > (math.MaxInt64-digit)/10 {
			d.fail(errors.New("a number is out of range"))
			return 0
		}
		n = 10*n + digit
		d.pos++
	}
}

func (d *decoder) mode() uint32 {
	n := d.number()
	if n > 0o777 {
		d.fail(fmt.Errorf("mode %#o is not allowed", n))
		return 0
	}
	return uint32(n)
}

func (d *decoder) digest(to *digest.Digest) {
	if d.ready != nil {
		return
	}
	if !d.have(2 * digest.Size) {
		d.fail(errSpelling)
		return
	}
	digits := d.buf[d.pos : d.pos+2*digest.Size]
	for _, c := range digits {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			d.fail(errors.New("not a digest of lower-case hex digits"))
			return
		}
	}
	if _, err := hex.Decode(to[:], digits); err != nil {
		d.fail(err)
		return
	}
	d.pos += 2 * digest.Size
}

// plain reads letters and digits up to a quote, which stays: a word of the format. Of a longer one only so much is read.
func (d *decoder) plain() string {
	const longest = 32
	for n := 0; d.ready == nil && n <= longest && d.have(n+1); n++ {
		c := d.buf[d.pos+n]
		if c == '"' {
			s := word(d.buf[d.pos : d.pos+n])
			d.pos += n
			return s
		}
		if (c < 'a' || c > 'z') && (c < '0' || c > '9') {
			break
		}
	}
	d.fail(errSpelling)
	return ""
}

// word is string(b) without an allocation for the words of the format.
func word(b []byte) string {
	switch string(b) {
	case "file":
		return "file"
	case "link":
		return "link"
	case "dir":
		return "dir"
	case "blake3":
		return "blake3"
	case "sha256":
		return "sha256"
	}
	return string(b)
}

// text reads the inside of a string, in the spelling of appendText alone, up to its quote, which stays.
func (d *decoder) text() string {
	escaped := false
	for n := 0; d.ready == nil; {
		for _, c := range d.buf[d.pos+n : d.end] {
			switch {
			case c == '"' && !(escaped && d.inEscape(n)):
				return d.cut(n, escaped)
			case c == '\\':
				escaped = true
			case c < 0x20:
				d.fail(errSpelling)
				return ""
			}
			if n++; n > maxText {
				d.fail(fmt.Errorf("a text is longer than %d bytes", maxText))
				return ""
			}
		}
		if !d.have(n + 1) {
			d.fail(errSpelling)
		}
	}
	return ""
}

// inEscape reports whether the byte at n is taken by a backslash before it.
func (d *decoder) inEscape(n int) bool {
	slashes := 0
	for slashes < n && d.buf[d.pos+n-1-slashes] == '\\' {
		slashes++
	}
	return slashes%2 == 1
}

// cut takes a string of n spelled bytes out of the window.
func (d *decoder) cut(n int, escaped bool) string {
	raw := d.buf[d.pos : d.pos+n]
	d.pos += n
	switch {
	case !utf8.Valid(raw):
		d.fail(errors.New("not UTF-8"))
		return ""
	case !escaped:
		return string(raw)
	}
	s, ok := unescape(raw)
	if !ok {
		d.fail(errSpelling)
	}
	return s
}

// unescape undoes appendText, and only what appendText writes.
func unescape(raw []byte) (string, bool) {
	s := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); i++ {
		if raw[i] != '\\' {
			s = append(s, raw[i])
			continue
		}
		i++
		if i < len(raw) && (raw[i] == '"' || raw[i] == '\\') {
			s = append(s, raw[i])
			continue
		}
		if i+5 > len(raw) || string(raw[i:i+3]) != "u00" {
			return "", false
		}
		var c [1]byte
		if _, err := hex.Decode(c[:], raw[i+3:i+5]); err != nil || c[0] >= 0x20 || raw[i+4] >= 'A' && raw[i+4] <= 'F' {
			return "", false
		}
		s = append(s, c[0])
		i += 4
	}
	return string(s), true
}
