package text

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"math"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/hasher"
)

// A Reader takes lines and their fields one after the other. What does not stand there is an error, which stays: what is read
// after it is zero and worth nothing. Memory is in proportion to what was read, never to a number that the text claims.
type Reader struct {
	src  io.Reader // nil: buf is all there is
	most int64     // bytes of src
	buf  []byte
	from int // of the line under way in buf
	to   int // behind its line feed
	end  int // of what is in buf
	rest []byte
	open bool // there is a line under way

	fn    digest.Function
	known bool      // the digest was compared
	sum   hash.Hash // of what has left buf
	total int64
	err   error
}

// MaxLine bounds a line of a text that is read as a stream, in bytes.
const MaxLine = 256 << 10

// Read reads b, which must not change meanwhile.
func Read(b []byte) *Reader { return &Reader{buf: b, end: len(b)} }

// Verified reads b, of which the digest was compared with what comes before it.
func Verified(b []byte) *Reader { return &Reader{buf: b, end: len(b), known: true} }

// Stream reads src through a window. A text of more than most bytes is an error.
func Stream(src io.Reader, most int64) *Reader {
	return &Reader{src: io.LimitReader(src, most+1), most: most, buf: make([]byte, min(MaxLine, most+1))}
}

// ErrSpelling says that a text is not spelled as a Writer does.
var ErrSpelling = errors.New("not spelled as haz does")

// A ReadError says that a text could not be read, which says nothing about what it holds.
type ReadError struct{ Err error }

func (e *ReadError) Error() string { return e.Err.Error() }
func (e *ReadError) Unwrap() error { return e.Err }

// Err is the first error.
func (r *Reader) Err() error { return r.err }

// Fail makes err the error, unless there is one already.
func (r *Reader) Fail(err error) {
	if r.err == nil {
		r.err = err
	}
	r.rest = nil
}

// Head reads the first line. It is for the caller to know the revision; hash is the name of a hash function, maybe of none.
func (r *Reader) Head(kind string) (revision int, hash string) {
	r.Line("haz")
	if r.Word() != kind {
		r.Fail(ErrSpelling)
	}
	n := r.Num()
	hash = r.Word()
	r.close()
	if n > math.MaxInt32 {
		r.Fail(errors.New("a number is out of range"))
	}
	r.fn, _ = digest.ParseFunction(hash)
	if r.err != nil {
		return 0, ""
	}
	return int(n), hash
}

// At reports whether the next line begins with word. It ends the line before.
func (r *Reader) At(word string) bool {
	if r.close(); r.err != nil || !r.load() {
		return false
	}
	line := r.buf[r.from : r.to-1]
	return len(line) >= len(word) && string(line[:len(word)]) == word && (len(line) == len(word) || line[len(word)] == ' ')
}

// Line begins the next line, which must begin with word.
func (r *Reader) Line(word string) {
	if !r.At(word) {
		r.Fail(ErrSpelling)
		return
	}
	r.open, r.rest = true, r.buf[r.from+len(word):r.to-1]
}

// Any begins the next line, whatever word that is, and returns it.
func (r *Reader) Any() (word string) {
	if r.close(); r.err != nil || !r.load() {
		r.Fail(ErrSpelling)
		return ""
	}
	r.open, r.rest = true, r.buf[r.from:r.to-1]
	b, _, spaced := bytes.Cut(r.rest, []byte{' '})
	if r.rest = r.rest[len(b):]; len(b) == 0 || !isBare(b) || spaced && len(r.rest) == 1 {
		r.Fail(ErrSpelling)
		return ""
	}
	return string(b)
}

// More reports whether the line under way has another field.
func (r *Reader) More() bool { return r.err == nil && len(r.rest) > 0 }

// close ends the line under way, of which all must have been read.
func (r *Reader) close() {
	if !r.open {
		return
	}
	if len(r.rest) > 0 {
		r.Fail(ErrSpelling)
	}
	r.open, r.from = false, r.to
}

// load finds the next line. It reports whether there is one.
func (r *Reader) load() bool {
	for seen := r.from; ; {
		if i := bytes.IndexByte(r.buf[seen:r.end], '\n'); i >= 0 {
			r.to = seen + i + 1
			return true
		}
		seen = r.end
		if r.src == nil {
			return false
		}
		if r.end == len(r.buf) {
			if r.from == 0 && len(r.buf) < MaxLine {
				return false // the window holds all that there may be
			}
			if r.from == 0 {
				r.Fail(fmt.Errorf("a line is longer than %d bytes", MaxLine))
				return false
			}
			r.leave()
			seen = r.end
		}
		if !r.fill() {
			return false
		}
	}
}

// leave makes room in the window.
func (r *Reader) leave() {
	if r.sum == nil {
		r.sum = hasher.New(r.fn)
	}
	r.sum.Write(r.buf[:r.from])
	r.end = copy(r.buf, r.buf[r.from:r.end])
	r.from = 0
}

// fill reads on. It reports whether something came.
func (r *Reader) fill() bool {
	n, err := r.src.Read(r.buf[r.end:])
	r.end += n
	if r.total += int64(n); r.total > r.most {
		r.Fail(fmt.Errorf("more than %d bytes", r.most))
		return false
	}
	if err != nil && err != io.EOF {
		r.Fail(&ReadError{Err: err})
		return false
	}
	return n > 0 || err == nil
}

// AtSeal reports whether the next line is the last one, the digest's. It ends the line before.
func (r *Reader) AtSeal() bool { return r.At(SealWord) }

// Verify reads the last line, and compares the digest that it holds with that of what came before.
func (r *Reader) Verify() {
	r.Line(SealWord)
	want := r.Digest()
	if r.err != nil {
		return
	}
	got := want
	if r.known {
		// nobody changes what is in memory
	} else if r.sum == nil {
		got = hasher.Sum(r.fn, r.buf[:r.from])
	} else {
		r.sum.Write(r.buf[:r.from])
		got = hasher.Of(r.sum)
	}
	switch r.close(); {
	case r.load() || r.end > r.from:
		r.Fail(errors.New("bytes after the end"))
	case got != want:
		r.Fail(errors.New("its digest does not match"))
	}
}

// field takes the next field as it is spelled, one without spaces.
func (r *Reader) field() []byte {
	if r.err != nil || len(r.rest) == 0 || r.rest[0] != ' ' {
		r.Fail(ErrSpelling)
		return nil
	}
	f := r.rest[1:]
	if i := bytes.IndexByte(f, ' '); i >= 0 {
		f, r.rest = f[:i], f[i:]
	} else {
		r.rest = nil
	}
	return f
}

// Num reads a number from 0 to the largest int64.
func (r *Reader) Num() int64 { return int64(r.number(r.field(), math.MaxInt64)) }

// Uint reads a number from 0 to the largest uint64.
func (r *Reader) Uint() uint64 { return r.number(r.field(), math.MaxUint64) }

// Int reads any int64.
func (r *Reader) Int() int64 {
	f := r.field()
	digits, negative := bytes.CutPrefix(f, []byte{'-'})
	if !negative {
		return int64(r.number(f, math.MaxInt64))
	}
	n := r.number(digits, 1<<63)
	if n == 0 {
		r.Fail(ErrSpelling)
	}
	return -int64(n)
}

// number reads a number of at most most.
func (r *Reader) number(f []byte, most uint64) (n uint64) {
	if r.err != nil {
		return 0
	}
	if len(f) == 0 || f[0] < '0' || f[0] > '9' {
		r.Fail(errors.New("a number is missing, or negative"))
		return 0
	}
	for i, c := range f {
		switch {
		case c < '0' || c > '9':
			r.Fail(ErrSpelling)
		case i == 1 && f[0] == '0':
			r.Fail(errors.New("a number with a leading zero"))
		case n > (most-uint64(c-'0'))/10:
			r.Fail(errors.New("a number is out of range"))
		}
		if r.err != nil {
			return 0
		}
		n = 10*n + uint64(c-'0')
	}
	return n
}

// Octal reads permission bits of at most most.
func (r *Reader) Octal(most uint32) (mode uint32) {
	f := r.field()
	if r.err != nil {
		return 0
	}
	if len(f) < 3 || len(f) > 3 && f[0] == '0' {
		r.Fail(ErrSpelling)
	}
	for _, c := range f {
		if c < '0' || c > '7' {
			r.Fail(ErrSpelling)
			return 0
		}
		digit := uint32(c - '0')
		if digit > most || mode > (most-digit)/8 {
			r.Fail(fmt.Errorf("mode %s is not allowed", f[:min(len(f), 32)]))
			return 0
		}
		mode = 8*mode + digit
	}
	return mode
}

// Digest reads 64 lower-case digits.
func (r *Reader) Digest() (d digest.Digest) {
	f := r.field()
	if r.err != nil {
		return d
	}
	ok := len(f) == 2*digest.Size
	for i := 0; ok && i < digest.Size; i++ {
		high, low := hexValues[f[2*i]], hexValues[f[2*i+1]]
		ok = high|low < 0x10
		d[i] = high<<4 | low
	}
	if !ok {
		r.Fail(errors.New("not a digest of lower-case hex digits"))
		return digest.Digest{}
	}
	return d
}

// hexValues are the values of lower-case hex digits, and 0xff for all that is none: a run with nothing to do reads thousands of digests.
var hexValues = func() (values [256]byte) {
	for c := range values {
		values[c] = 0xff
	}
	for value, c := range []byte("0123456789abcdef") {
		values[c] = byte(value)
	}
	return values
}()

// Next takes the next field if it is spelled so.
func (r *Reader) Next(spelling string) bool {
	n := 1 + len(spelling)
	if r.err != nil || len(r.rest) < n || r.rest[0] != ' ' || string(r.rest[1:n]) != spelling || len(r.rest) > n && r.rest[n] != ' ' {
		return false
	}
	r.rest = r.rest[n:]
	return true
}

// Word reads lower-case letters and digits, at most 32.
func (r *Reader) Word() string {
	f := r.field()
	if r.err != nil {
		return ""
	}
	ok := len(f) > 0 && len(f) <= 32
	for _, c := range f {
		ok = ok && (c >= '0' && c <= '9' || c >= 'a' && c <= 'z')
	}
	if !ok {
		r.Fail(ErrSpelling)
		return ""
	}
	return string(f)
}

// Str reads a text whose spelling has at most most bytes.
func (r *Reader) Str(most int) string {
	quoted := len(r.rest) > 1 && r.rest[1] == '"'
	var f []byte
	if quoted {
		f = r.quoted()
	} else {
		f = r.field()
	}
	switch {
	case r.err != nil:
		return ""
	case len(f) > most:
		r.Fail(fmt.Errorf("a text is longer than %d bytes", most))
		return ""
	case !quoted && isBare(f):
		return string(f)
	case !quoted:
		r.Fail(ErrSpelling)
		return ""
	}
	s := unquote(f[1 : len(f)-1])
	if string(appendStr(nil, s)) != string(f) { // the one spelling
		r.Fail(ErrSpelling)
		return ""
	}
	return s
}

// quoted takes a text between quotes, these included.
func (r *Reader) quoted() []byte {
	f := r.rest[1:]
	for i := 1; i < len(f); i++ {
		switch f[i] {
		case '\\':
			i++
		case '"':
			r.rest = f[i+1:]
			return f[:i+1]
		}
	}
	r.Fail(ErrSpelling)
	return nil
}

// unquote undoes what appendStr does between quotes. Of what it would not have made it makes something else.
func unquote(f []byte) string {
	s := make([]byte, 0, len(f))
	for i := 0; i < len(f); i++ {
		if f[i] != '\\' || i+1 == len(f) {
			s = append(s, f[i])
			continue
		}
		i++
		switch c := f[i]; {
		case c == 'n':
			s = append(s, '\n')
		case c == 't':
			s = append(s, '\t')
		case c == 'x' && i+2 < len(f):
			var b [1]byte
			_, _ = hex.Decode(b[:], f[i+1:i+3])
			s = append(s, b[0])
			i += 2
		default:
			s = append(s, c)
		}
	}
	return string(s)
}
