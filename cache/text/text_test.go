package text

import (
	"bytes"
	"errors"
	"io"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"pgregory.net/rapid"

	"github.com/haz-build/haz/cache/digest"
)

// A line of the texts that these tests are about: one field of each kind.
type line struct {
	N, Mode int64
	D       digest.Digest
	A, B    string
}

const test = "test"

func write(fn digest.Function, lines []line) []byte {
	var w Writer
	w.Head(test, 7, fn)
	for _, l := range lines {
		w.Line("all")
		w.Num(l.N)
		w.Octal(uint32(l.Mode))
		w.Digest(l.D)
		w.Str(l.A)
		w.Str(l.B)
	}
	w.Seal(fn)
	return w.B
}

func read(r *Reader) (fn digest.Function, lines []line, err error) {
	if revision, hash := r.Head(test); revision != 7 || hash != r.fn.String() {
		r.Fail(errors.New("another schema"))
	}
	for r.At("all") {
		r.Line("all")
		l := line{N: r.Num(), Mode: int64(r.Octal(math.MaxInt32)), D: r.Digest(), A: r.Str(MaxLine), B: r.Str(MaxLine)}
		if r.Err() != nil {
			break
		}
		lines = append(lines, l)
	}
	r.Verify()
	return r.fn, lines, r.Err()
}

// both reads in one piece and as a stream, and insists on one answer.
func both(t rapid.TB, b []byte) (digest.Function, []line, error) {
	t.Helper()
	fn, lines, err := read(Read(b))
	for name, src := range map[string]io.Reader{"pieces": bytes.NewReader(b), "bytes": iotest.OneByteReader(bytes.NewReader(b)),
		"end with the last bytes": iotest.DataErrReader(bytes.NewReader(b))} {
		_, streamed, streamErr := read(Stream(src, math.MaxInt64-1))
		if (err == nil) != (streamErr == nil) || err == nil && !reflect.DeepEqual(lines, streamed) {
			t.Fatalf("in one piece: %v, %v\nas a stream (%s): %v, %v\n%q", lines, err, name, streamed, streamErr, b)
		}
	}
	return fn, lines, err
}

func anyLines(t *rapid.T) []line {
	str := rapid.OneOf(rapid.String(), rapid.Map(rapid.SliceOf(rapid.Byte()), func(b []byte) string { return string(b) }),
		rapid.SampledFrom([]string{"", " ", "a b", `"`, `\`, `\n`, "\n", "\x7f", "\u0085", "\ufffd", "\xed\xa0\x80", "a\"", "é"}))
	return rapid.SliceOf(rapid.Custom(func(t *rapid.T) line {
		l := line{N: rapid.Int64Min(0).Draw(t, "n"), Mode: rapid.Int64Range(0, math.MaxInt32).Draw(t, "mode"), A: str.Draw(t, "a"), B: str.Draw(t, "b")}
		copy(l.D[:], rapid.SliceOfN(rapid.Byte(), digest.Size, digest.Size).Draw(t, "d"))
		return l
	})).Draw(t, "lines")
}

func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		fn := rapid.SampledFrom([]digest.Function{digest.BLAKE3, digest.SHA256}).Draw(t, "fn")
		want := anyLines(t)
		b := write(fn, want)
		_, got, err := both(t, b)
		if err != nil || len(got) != len(want) || len(want) > 0 && !reflect.DeepEqual(got, want) {
			t.Fatalf("got %v, %v\nwant %v\n%q", got, err, want, b)
		}
		for i, c := range b {
			if c < ' ' && c != '\n' || c == 0x7f {
				t.Fatalf("byte %d of %q shows nothing", i, b)
			}
		}
		if n := len(strings.Split(string(b), "\n")); n != len(want)+3 {
			t.Fatalf("%d lines for %d values", n-1, len(want))
		}
	})
}

var sample = []line{
	{N: 1, Mode: 0o644, D: digest.Digest{1}, A: "/lib/a.o", B: "x"},
	{N: math.MaxInt64, Mode: 0o7, A: "", B: "a \"b\" \\ \n\t\x1b é \u0085 \xff"},
}

// The exact bytes are the format.
func TestText(t *testing.T) {
	const want = `haz test 7 blake3
all 1 644 0100000000000000000000000000000000000000000000000000000000000000 /lib/a.o x
all 9223372036854775807 007 0000000000000000000000000000000000000000000000000000000000000000 "" "a \"b\" \\ \n\t\x1b é \xc2\x85 \xff"
`
	if got := string(write(digest.BLAKE3, sample)); got[:len(got)-SealSize] != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
}

// Every flipped bit and every cut is found.
func TestDamage(t *testing.T) {
	good := write(digest.SHA256, sample)
	for i := range good {
		for bit := range 8 {
			b := bytes.Clone(good)
			b[i] ^= 1 << bit
			if _, _, err := both(t, b); err == nil {
				t.Fatalf("bit %d of byte %d (%q) was not missed", bit, i, good[i])
			}
		}
		if _, _, err := both(t, good[:i]); err == nil {
			t.Fatalf("%d bytes are taken for all %d", i, len(good))
		}
	}
	if _, _, err := both(t, append(bytes.Clone(good), '\n')); err == nil {
		t.Error("a line too many is taken")
	}
}

// What is right but for its spelling is refused, digest or not.
func TestSpelling(t *testing.T) {
	d := strings.Repeat("0", 64)
	for _, l := range []string{
		"all 1 644 " + d + " a", "all 1 644 " + d + " a b c", "all 1 644 " + d + " a b ", "all  1 644 " + d + " a b", "all 1 644 " + d + "  b",
		"all 01 644 " + d + " a b", "all +1 644 " + d + " a b", "all -1 644 " + d + " a b", "all 9223372036854775808 644 " + d + " a b", "all 1x 644 " + d + " a b",
		"all 1 44 " + d + " a b", "all 1 0644 " + d + " a b", "all 1 648 " + d + " a b", "all 1 37777777777 " + d + " a b",
		"all 1 644 " + d[1:] + " a b", "all 1 644 0" + d + " a b", "all 1 644 " + d[1:] + "A a b", "all 1 644 " + d[1:] + "g a b",
		"all 1 644 " + d + ` "a" b`, "all 1 644 " + d + ` a\ b`, "all 1 644 " + d + ` "a b`, "all 1 644 " + d + ` "a b"c d`, "all 1 644 " + d + " a\t b",
		"all 1 644 " + d + ` "a\ b" c`, "all 1 644 " + d + ` "\x20" c`, "all 1 644 " + d + ` "\x0A" c`, "all 1 644 " + d + ` "\x0a" c`, "all 1 644 " + d + ` "\x1B" c`,
		"all 1 644 " + d + ` "\xé" c`, "all 1 644 " + d + ` "\x1" c`, "all 1 644 " + d + " a \xff", "all 1 644 " + d + ` "\" b`, "all 1 644 " + d + ` "\xc3\xa9" b`,
		"", " ", "all", "other 1", "all1 644 " + d + " a b", "digest " + d,
	} {
		var w Writer
		w.Head(test, 7, digest.BLAKE3)
		w.Line(l)
		w.Seal(digest.BLAKE3)
		if _, got, err := both(t, w.B); err == nil {
			t.Errorf("%q is read as %v", l, got)
		}
	}
	for _, head := range []string{"haz test 7", "haz test 7 blake3 ", "haz  test 7 blake3", "haz tests 7 blake3", "haz test 07 blake3", "haz test 2147483648 blake3", "Haz test 7 blake3", "haz test 7 BLAKE3"} {
		w := Writer{B: []byte(head)}
		w.Seal(digest.BLAKE3)
		if _, _, err := both(t, w.B); err == nil {
			t.Errorf("head %q is taken", head)
		}
	}
}

// Numbers of all signs and sizes, and modes, come back; each has one spelling.
func TestNumbers(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		i, u := rapid.Int64().Draw(t, "i"), rapid.Uint64().Draw(t, "u")
		mode := rapid.Uint32().Draw(t, "mode")
		var w Writer
		w.Line("all")
		w.Int(i)
		w.Uint(u)
		w.Octal(mode)
		r := Read(append(w.B, '\n'))
		r.Line("all")
		if gi, gu, gm := r.Int(), r.Uint(), r.Octal(math.MaxUint32); gi != i || gu != u || gm != mode || r.More() || r.Err() != nil {
			t.Fatalf("%s: %d %d %o, %v", w.B, gi, gu, gm, r.Err())
		}
	})
	for _, f := range []string{"-0", "--1", "-", "-01", "-9223372036854775809", "9223372036854775808", "1-", ""} {
		r := Read([]byte("all " + f + "\n"))
		if r.Line("all"); r.Int() != 0 || r.Err() == nil {
			t.Errorf("%q is an Int", f)
		}
	}
	for _, f := range []string{"-1", "18446744073709551616", "99999999999999999999", "01"} {
		r := Read([]byte("all " + f + "\n"))
		if r.Line("all"); r.Uint() != 0 || r.Err() == nil {
			t.Errorf("%q is a Uint", f)
		}
	}
	for _, f := range []string{"40000000000", "77777777777777"} {
		r := Read([]byte("all " + f + "\n"))
		if r.Line("all"); r.Octal(math.MaxUint32) != 0 || r.Err() == nil {
			t.Errorf("%q is a mode", f)
		}
	}
}

// A text that is right is of one spelling.
func FuzzRead(f *testing.F) {
	f.Add(write(digest.BLAKE3, sample), true)
	f.Add([]byte("haz test 7 sha256\nall 0 000 "+strings.Repeat("0", 64)+" \"\" \"\\xff\""), false)
	f.Fuzz(func(t *testing.T, b []byte, whole bool) {
		if !whole { // with a digest that fits, so that more than the digest is looked at
			fn := digest.BLAKE3
			if bytes.HasPrefix(b, []byte("haz test 7 sha256\n")) {
				fn = digest.SHA256
			}
			w := Writer{B: b}
			w.Seal(fn)
			b = w.B
		}
		fn, lines, err := both(t, b)
		if err == nil && !bytes.Equal(write(fn, lines), b) {
			t.Errorf("%q\nis written as\n%q", b, write(fn, lines))
		}
	})
}

func TestLen(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := string(rapid.SliceOf(rapid.Byte()).Draw(t, "s"))
		var w Writer
		if w.Str(s); Len(s) != len(w.B)-1 {
			t.Fatalf("Len(%q) = %d, it is %q", s, Len(s), w.B)
		}
	})
}

// endless yields c for ever, and counts.
type endless struct {
	c    byte
	read int64
}

func (e *endless) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = e.c
	}
	e.read += int64(len(p))
	return len(p), nil
}

// A stream costs its window, whatever it holds; one that is too long is given up, and so is a line.
func TestStreamBounds(t *testing.T) {
	head := "haz test 7 blake3\n"
	long := &endless{c: 'a'}
	if _, _, err := read(Stream(io.MultiReader(strings.NewReader(head), long), 1<<40)); err == nil || long.read > 2*MaxLine {
		t.Errorf("%v after %d bytes", err, long.read)
	}
	l := write(digest.BLAKE3, sample[:1])[len(head):]
	l = l[:len(l)-SealSize]
	many := io.MultiReader(strings.NewReader(head), &repeated{l: l})
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	r := Stream(many, 64<<20)
	r.Head(test)
	n := 0
	for r.At("all") {
		r.Line("all")
		r.Num()
		r.Octal(0o777)
		r.Digest()
		r.rest = nil
		n++
	}
	runtime.ReadMemStats(&after)
	if r.Err() == nil || !strings.Contains(r.Err().Error(), "more than 67108864 bytes") || n < 500_000 {
		t.Errorf("%v after %d lines", r.Err(), n)
	}
	if used := after.TotalAlloc - before.TotalAlloc; used > 1<<20 {
		t.Errorf("%d bytes were allocated for %d lines", used, n)
	}
}

// What is longer than the window is read as what fits, and each of its bytes is looked at.
func TestLongStream(t *testing.T) {
	var all []line
	for i := range 4000 {
		all = append(all, line{N: int64(i), A: strings.Repeat("é", i%300), B: "b c"})
	}
	good := write(digest.BLAKE3, all)
	if _, got, err := both(t, good); err != nil || !reflect.DeepEqual(got, all) {
		t.Fatal(err)
	}
	for at := 0; at < len(good); at += 49999 {
		b := bytes.Clone(good)
		b[at]++
		if _, _, err := both(t, b); err == nil {
			t.Fatalf("byte %d of %d was not missed", at, len(good))
		}
	}
}

type repeated struct {
	l  []byte
	at int
}

func (r *repeated) Read(p []byte) (n int, err error) {
	for n < len(p) {
		k := copy(p[n:], r.l[r.at:])
		n, r.at = n+k, (r.at+k)%len(r.l)
	}
	return n, nil
}

// A disk that cannot be read is told from a text that is wrong.
func TestReadError(t *testing.T) {
	good := write(digest.BLAKE3, sample)
	for n := range good {
		boom := errors.New("boom")
		_, _, err := read(Stream(io.MultiReader(bytes.NewReader(good[:n]), iotest.ErrReader(boom)), 1<<20))
		var read *ReadError
		if !errors.As(err, &read) || read.Err != boom {
			t.Fatalf("after %d bytes: %v", n, err)
		}
	}
}
