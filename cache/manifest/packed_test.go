package manifest

import (
	"bytes"
	"errors"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/fsys/memfs"
)

// packedSample has two files with one content, an empty one and a link between them.
func packedSample() (*Manifest, map[digest.Digest]string) {
	m, texts := sampleManifest(), map[digest.Digest]string{}
	file := func(path, text string) entry.Output {
		d := hasher.Sum(m.Hash, []byte(text))
		texts[d] = text
		return entry.Output{Path: path, Kind: entry.File, Mode: 0o644, Size: int64(len(text)), Digest: d}
	}
	m.Outputs = []entry.Output{file("/p/a", "one"), file("/p/b", "two, digest \ndigest "), {Path: "/p/c", Kind: entry.Link, Target: "a"}, file("/p/d", ""), file("/p/e", "one")}
	return m, texts
}

func pack(t testing.TB, m *Manifest, texts map[digest.Digest]string) []byte {
	t.Helper()
	b, ok, err := EncodePacked(m, []byte("ok\n"), nil, func(o *entry.Output) []byte { return []byte(texts[o.Digest]) })
	if err != nil || !ok {
		t.Fatal(ok, err)
	}
	return b
}

// CACHE-037: contents lie behind the manifest, equal ones once, and are those that were put there.
func TestPacked(t *testing.T) {
	m, texts := packedSample()
	b := pack(t, m, texts)
	if want := "\nok\nonetwo, digest \ndigest "; !bytes.HasSuffix(b, []byte(want[1:])) {
		t.Errorf("got %q", b)
	}
	got, err := Decode(b)
	if err != nil || !got.Packed() || !got.Same(m) {
		t.Fatal(got, err)
	}
	if stdout, stderr := got.PackedStreams(); string(stdout) != "ok\n" || len(stderr) > 0 {
		t.Errorf("streams %q, %q", stdout, stderr)
	}
	for _, o := range got.Outputs {
		if o.Kind == entry.File && string(got.PackedBlob(&o)) != texts[o.Digest] {
			t.Errorf("%s: %q", o.Path, got.PackedBlob(&o))
		}
	}
	if back := pack(t, got, texts); !bytes.Equal(back, b) {
		t.Errorf("written again:\n%q\nwas\n%q", back, b)
	}
}

// A packed file that was cut off anywhere, or of which a bit is another one, is damaged: so no byte of it is ever used that was not put there.
func TestPackedDamage(t *testing.T) {
	m, texts := packedSample()
	m.Outputs = m.Outputs[1:] // so that each content is there once
	b := pack(t, m, texts)
	for n := range b {
		if got, err := Decode(b[:n:n]); err == nil {
			t.Errorf("%d of %d bytes: %+v", n, len(b), got)
		}
		for bit := range 8 {
			bad := bytes.Clone(b)
			bad[n] ^= 1 << bit
			if got, err := Decode(bad); err == nil {
				t.Errorf("bit %d of byte %d: %+v", bit, n, got)
			}
		}
	}
	for _, more := range []string{"\x00", "\n", "two", string(b)} {
		if got, err := Decode(append(bytes.Clone(b), more...)); err == nil {
			t.Errorf("%q more: %+v", more, got)
		}
	}
	if _, err := Decode(b); err != nil {
		t.Error(err)
	}
}

// One says which content is damaged.
func TestPackedReasons(t *testing.T) {
	m, texts := packedSample()
	m.StderrLen, m.StderrHash = 4, hasher.Sum(m.Hash, []byte("err\n"))
	good, _, err := EncodePacked(m, []byte("ok\n"), []byte("err\n"), func(o *entry.Output) []byte { return []byte(texts[o.Digest]) })
	if err != nil {
		t.Fatal(err)
	}
	for change, want := range map[string]string{
		"\nok>\nno": "stdout, which lies behind it, is not what was recorded",
		"err>Err":   "stderr, which lies behind it, is not what was recorded",
		"one>oNe":   "blob 1 of 4, which lies behind it, is not what was recorded",
		"two,>tow,": "blob 2 of 4, which lies behind it, is not what was recorded",
		"two,>two":  "what lies behind it is not as long as it says",
	} {
		from, to, _ := strings.Cut(change, ">")
		at := bytes.LastIndex(good, []byte(from))
		if at < 0 {
			t.Fatal(change)
		}
		bad := append(append(bytes.Clone(good[:at]), to...), good[at+len(from):]...)
		if _, err := Decode(bad); err == nil || err.Error() != want {
			t.Errorf("%q: %v", change, err)
		}
	}
}

// What is longer than a packed one can be is not read as one, whatever it says.
func TestPackedIsNoStream(t *testing.T) {
	m := sampleManifest()
	m.Revision, m.Outputs, m.StdoutLen, m.StdoutHash = RevisionPacked, nil, 0, m.StderrHash
	b := mustEncode(t, m)
	if _, err := Decode(b); err != nil {
		t.Error(err)
	}
	if _, err := DecodeFrom(bytes.NewReader(b)); err != errLong {
		t.Error(err)
	}
}

// Streams of a packed entry are found without a look at all else, and where there is none, or another one, that is seen.
func TestReadPrinted(t *testing.T) {
	mem := memfs.New()
	write := func(b []byte) { // lies where manifests lie
		f, err := mem.OpenFile("/"+ManifestName, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
		if err == nil {
			_, err = f.Write(b)
		}
		if err = errors.Join(err, f.Close()); err != nil {
			t.Fatal(err)
		}
	}
	if _, _, ok := ReadPrinted(mem, "", 0, 0); ok {
		t.Error("there is nothing")
	}
	m, texts := packedSample()
	b := pack(t, m, texts)
	write(b)
	for _, c := range []struct {
		stdout, stderr int64
		want           bool
	}{{3, 0, true}, {3, 3, true}, {3, 1000, false}, {1000, 0, false}, {-1, 3, false}, {3, -1, false}, {math.MaxInt64, math.MaxInt64, false}, {1, math.MaxInt64, false}} {
		stdout, stderr, ok := ReadPrinted(mem, "", c.stdout, c.stderr)
		if ok != c.want || ok && (string(stdout) != "ok\n" || string(stderr) != "one"[:c.stderr]) {
			t.Errorf("%+v: %q, %q, %v", c, stdout, stderr, ok)
		}
	}
	write(mustEncode(t, sampleManifest()))
	if _, _, ok := ReadPrinted(mem, "", 0, 0); ok {
		t.Error("it is not packed")
	}
}

// What is too long to be read in one piece is not packed, and neither is what does not fit.
func TestPackable(t *testing.T) {
	for _, c := range []struct {
		size int64
		want bool
	}{{MaxPacked - 3, true}, {MaxPacked - 2, false}, {math.MaxInt64 - 3, false}} {
		m := sampleManifest() // which has printed 3 bytes, and has a file of 1
		m.Outputs = m.Outputs[:1]
		m.Outputs[0].Size = c.size
		if got := m.Packable(); got != c.want {
			t.Errorf("%d bytes: %v", c.size, got)
		}
		m.Revision = RevisionPacked
		if err := m.Check(); (err == nil) != c.want {
			t.Errorf("%d bytes: %v", c.size, err)
		}
	}
	m, texts := packedSample()
	for i := range 40 {
		m.Outputs = append(m.Outputs, entry.Output{Path: "/q/" + string(rune('A'+i)), Kind: entry.Link, Target: strings.Repeat("t", 30_000)})
	}
	_, ok, err := EncodePacked(m, []byte("ok\n"), nil, func(o *entry.Output) []byte { return []byte(texts[o.Digest]) })
	if ok || err != nil || m.Packed() {
		t.Errorf("%v, %v, packed %v", ok, err, m.Packed())
	}
}

// What is put behind a manifest must be what it says.
func TestPackedRefused(t *testing.T) {
	m, texts := packedSample()
	texts[m.Outputs[0].Digest] = "ones"
	if _, _, err := EncodePacked(m, []byte("ok\n"), nil, func(o *entry.Output) []byte { return []byte(texts[o.Digest]) }); err == nil {
		t.Error("a content that is longer than the manifest says")
	}
	m.Outputs[4].Size++
	if m.Packable() || m.Check() == nil {
		t.Error("two sizes of one content")
	}
}

// Whatever contents there are comes back, and the file has one spelling.
func FuzzPacked(f *testing.F) {
	f.Add([]byte("ok\n"), []byte(""), []byte("one"), []byte("\ndigest "))
	f.Add([]byte(""), []byte(""), []byte(""), []byte(""))
	f.Add([]byte("haz manifest 5 blake3\n"), []byte("x"), []byte("x"), []byte("x"))
	f.Fuzz(func(t *testing.T, stdout, stderr, a, b []byte) {
		m := sampleManifest()
		m.StdoutLen, m.StdoutHash = int64(len(stdout)), hasher.Sum(m.Hash, stdout)
		m.StderrLen, m.StderrHash = int64(len(stderr)), hasher.Sum(m.Hash, stderr)
		contents := map[string][]byte{"/p/a": a, "/p/b": b, "/p/c": a}
		m.Outputs = nil
		for _, path := range []string{"/p/a", "/p/b", "/p/c"} {
			c := contents[path]
			m.Outputs = append(m.Outputs, entry.Output{Path: path, Kind: entry.File, Mode: 0o644, Size: int64(len(c)), Digest: hasher.Sum(m.Hash, c)})
		}
		if !m.Packable() {
			t.Skip()
		}
		file, ok, err := EncodePacked(m, stdout, stderr, func(o *entry.Output) []byte { return contents[o.Path] })
		if err != nil || !ok {
			t.Fatal(ok, err)
		}
		got, err := Decode(file)
		if err != nil || !got.Same(m) || !bytes.Equal(got.stdout, stdout) || !bytes.Equal(got.stderr, stderr) {
			t.Fatalf("%+v, %v\n%q", got, err, file)
		}
		for i := range got.Outputs {
			if o := &got.Outputs[i]; !bytes.Equal(got.PackedBlob(o), contents[o.Path]) {
				t.Fatalf("%s: %q", o.Path, got.PackedBlob(o))
			}
		}
	})
}
