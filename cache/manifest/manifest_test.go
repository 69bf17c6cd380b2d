package manifest

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/cache/text"
	"github.com/haz-build/haz/layout"
)

func sampleManifest() *Manifest {
	return &Manifest{
		Revision: Revision, Hash: digest.BLAKE3, Key: hasher.Sum(digest.BLAKE3, []byte("key")),
		Outputs: []entry.Output{
			{Path: "/p/out/a.o", Kind: entry.File, Digest: hasher.Sum(digest.BLAKE3, []byte("a")), Size: 1, Mode: 0o644},
			{Path: "/p/out/d", Kind: entry.Dir, Mode: 0o755},
			{Path: "/p/out/d/inside", Kind: entry.Link, Target: "../a.o"},
			{Path: "/p/out/é \"quoted\" \\ back", Kind: entry.File, Digest: hasher.Sum(digest.BLAKE3, nil), Mode: 0o777},
		},
		StdoutLen: 3, StdoutHash: hasher.Sum(digest.BLAKE3, []byte("ok\n")), StderrHash: hasher.Sum(digest.BLAKE3, nil),
		CreatedAt: 1_700_000_000, DurationMS: 42, Task: "p:build",
	}
}

// boundManifest has all that a manifest can have.
func boundManifest() *Manifest {
	m := sampleManifest()
	m.Root, m.RootIn = "/home/\"me\"/ws", "/p/out/d/inside"
	m.StderrLen, m.Order = 12, "1,4,2,8"
	return m
}

func mustEncode(t testing.TB, m *Manifest) []byte {
	t.Helper()
	b, err := Encode(m)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// both decodes in one piece and as a stream, and insists on one answer; what is packed is read in one piece alone.
func both(t testing.TB, b []byte) (*Manifest, error) {
	t.Helper()
	streamed, streamErr := DecodeFrom(iotest.OneByteReader(bytes.NewReader(b)))
	m, err := Decode(bytes.Clone(b))
	if m != nil && m.Packed() {
		if streamErr == nil {
			t.Fatalf("a packed one was read as a stream: %+v", streamed)
		}
		return m, nil
	}
	if (err == nil) != (streamErr == nil) || !reflect.DeepEqual(m, streamed) {
		t.Fatalf("in one piece: %+v, %v\nas a stream: %+v, %v\n%s", m, err, streamed, streamErr, b)
	}
	return m, err
}

// The exact bytes are the format: order of lines and fields, spelling, final newline (7.2, CACHE-011).
func TestManifestText(t *testing.T) {
	hex := func(s string) string { return hasher.Sum(digest.BLAKE3, []byte(s)).Hex() }
	head := "haz manifest 4 blake3\nkey " + hex("key") + "\n"
	outputs := "file 644 1 " + hex("a") + " /p/out/a.o\n" +
		"dir 755 /p/out/d\n" +
		"link /p/out/d/inside ../a.o\n" +
		"file 777 0 " + hex("") + ` "/p/out/é \"quoted\" \\ back"` + "\n"
	stdout := "stdout 3 " + hex("ok\n") + "\n"
	tail := "exit 0\ncreated 1700000000 42\ntask p:build\n"
	for _, tt := range []struct {
		m    *Manifest
		want string
	}{
		{sampleManifest(), head + outputs + stdout + "stderr 0 " + hex("") + "\n" + tail},
		{boundManifest(), head + `root "/home/\"me\"/ws" /p/out/d/inside` + "\n" + outputs + stdout + "stderr 12 " + hex("") + "\norder 1,4,2,8\n" + tail},
	} {
		tt.want += "digest " + hex(tt.want) + "\n"
		if got := string(mustEncode(t, tt.m)); got != tt.want {
			t.Errorf("got:\n%s\nwant:\n%s", got, tt.want)
		}
	}
}

func TestManifestRoundTrip(t *testing.T) {
	empty := sampleManifest()
	empty.Outputs = nil
	sha := sampleManifest()
	sha.Hash = digest.SHA256
	controls := sampleManifest()
	controls.Outputs = []entry.Output{{Path: "/l", Kind: entry.Link, Target: "a\n\t\x01\x7f\u2028\"\\/é"}}
	controls.Task = "odd \u0000 name"
	for name, m := range map[string]*Manifest{"sample": sampleManifest(), "bound": boundManifest(), "no outputs": empty, "sha256": sha, "controls": controls} {
		t.Run(name, func(t *testing.T) {
			b := mustEncode(t, m)
			got, err := both(t, b)
			if err != nil || !reflect.DeepEqual(got, m) {
				t.Fatalf("got %+v, %v\nwant %+v", got, err, m)
			}
			if again := mustEncode(t, got); !bytes.Equal(again, b) {
				t.Errorf("encoded again:\n%s\nwant:\n%s", again, b)
			}
		})
	}
}

// reseal gives a changed text the digest that belongs to it.
func reseal(s string) []byte {
	i := strings.LastIndex(s, "\ndigest ")
	if i < 0 || len(s)-i-1 < text.SealSize {
		return []byte(s)
	}
	w := text.Writer{B: []byte(s[:i])}
	w.Seal(digest.BLAKE3)
	return append(w.B, s[i+1+text.SealSize:]...)
}

// Everything here is spelled correctly as a whole, digest included, and still no manifest (7.2).
func TestManifestRefused(t *testing.T) {
	good := string(mustEncode(t, sampleManifest()))
	item := func(path string) string {
		return strings.Replace(good, "/p/out/a.o", path, 1)
	}
	line := func(old, now string) string { return strings.Replace(good, old, now, 1) }
	file := func(field, now string) string {
		return line("file 644 1 ", strings.Replace("file 644 1 ", field, now, 1))
	}
	tests := map[string]struct{ text, want string }{
		"parent segment":    {item("/p/../../etc/passwd"), `".."`},
		"dot segment":       {item("/p/./a"), `"."`},
		"empty segment":     {item("/p//a"), "is empty"},
		"trailing slash":    {item("/p/a/"), "ends with"},
		"relative":          {item("p/a"), "does not begin"},
		"only a slash":      {item("/"), "root of the workspace"},
		"empty path":        {item(`""`), "does not begin"},
		"below .haz":        {item("/.haz/cache/x"), layout.Dir},
		".haz itself":       {item(layout.Dir), layout.Dir},
		"reserved name":     {item("/p/.haz-restore-0011223344556677/x"), "reserved"},
		"control character": {item(`"/p/a\x07"`), "U+0007"},
		"zero width space":  {item("/p/a\u200b"), "U+200B"},
		"private use":       {item("/p/a\ue000"), "U+E000"},
		"noncharacter":      {item("/p/a\uffff"), "U+FFFF"},
		"not UTF-8":         {item(`"/p/a\xff"`), "UTF-8"},
		"raw bytes":         {item("/p/a\xff"), "spelled"},
		"surrogate":         {item("/p/a\xed\xa0\x80"), "spelled"},
		"overlong":          {item("/p/a\xc0\xaf"), "spelled"},
		"long path":         {item("/" + strings.Repeat("a/", maxPath/2) + "b"), "longer"},
		"long text":         {item("/" + strings.Repeat("a", maxText+10)), "longer"},
		"out of order":      {item("/z"), "not in order"},
		"twice":             {line("/p/out/d\n", "/p/out/a.o\n"), "twice"},
		"unknown kind":      {line("dir 755", "fifo 755"), "spelled"},
		"set-uid":           {file("644", "4755"), "not allowed"},
		"mode of a dir":     {line("dir 755", "dir 1000"), "not allowed"},
		"short mode":        {file("644", "44"), "spelled"},
		"2^63":              {file(" 1 ", " 9223372036854775808 "), "range"},
		"2^64":              {file(" 1 ", " 18446744073709551616 "), "range"},
		"sum overflows":     {file(" 1 ", " 9223372036854775807 "), "overflow"},
		"negative size":     {file(" 1 ", " -1 "), "negative"},
		"fraction":          {file(" 1 ", " 1.0 "), "spelled"},
		"leading zero":      {file(" 1 ", " 01 "), "leading zero"},
		"upper-case digits": {line(hasher.Sum(digest.BLAKE3, []byte("a")).Hex(), strings.ToUpper(hasher.Sum(digest.BLAKE3, []byte("a")).Hex())), "hex"},
		"exit status":       {line("exit 0", "exit 1"), "CACHE-018"},
		"exit status 2^32":  {line("exit 0", "exit 4294967296"), "CACHE-018"},
		"empty link":        {line("../a.o", `""`), "empty link"},
		"NUL in link":       {line("../a.o", `"a\x00b"`), "NUL"},
		"link not UTF-8":    {line("../a.o", `"a\xff"`), "UTF-8"},
		"duplicate line":    {line("stdout 3", "stdout 3 "+hasher.Sum(digest.BLAKE3, []byte("ok\n")).Hex()+"\nstdout 3"), "spelled"},
		"unknown line":      {line("stdout 3", "x 3\nstdout 3"), "spelled"},
		"field of a kind":   {line("/p/out/d\n", "/p/out/d 3\n"), "spelled"},
		"other order":       {line("created 1700000000 42\ntask p:build", "task p:build\ncreated 1700000000 42"), "spelled"},
		"output after":      {line("exit 0", "dir 755 /p/out/z\nexit 0"), "spelled"},
		"empty order":       {line("exit 0", "order \"\"\nexit 0"), "order"},
		"empty root":        {line("file 644", "root \"\" \"\"\nfile 644"), "no root"},
		"no final newline":  {strings.TrimSuffix(good, "\n"), "spelled"},
		"bytes after it":    {good + "\n", "after the end"},
		"needless quotes":   {line("/p/out/a.o", `"/p/out/a.o"`), "spelled"},
		"escaped letter":    {line("/p/out/a.o", `"/p/ o\x61"`), "spelled"},
		"open text":         {line(`back"`, `back`), "spelled"},
		"cut off":           {good[:strings.Index(good, "a.o")], "spelled"},
		"empty":             {"", "spelled"},
		"JSON":              {`{"a": [1, 2, {"b": null}]}`, "spelled"},
		"another text":      {strings.Replace(good, "haz manifest", "haz key", 1), "spelled"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if tt.text == good {
				t.Fatal("the text was not changed")
			}
			m, err := both(t, reseal(tt.text))
			if err == nil {
				t.Fatalf("accepted: %+v", m)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("error %q, want %q in it", err, tt.want)
			}
			var foreign *SchemaError
			if errors.As(err, &foreign) {
				t.Errorf("taken for a foreign schema: %v", err)
			}
		})
	}
}

// An entry that is bound says to what and because of which output, and the order of the streams fits them.
func TestManifestBound(t *testing.T) {
	good := string(mustEncode(t, boundManifest()))
	root := func(root, in string) string {
		return strings.Replace(good, `root "/home/\"me\"/ws" /p/out/d/inside`, "root "+root+" "+in, 1)
	}
	order := func(order string) string {
		return strings.Replace(good, "order 1,4,2,8", "order "+order, 1)
	}
	for name, tt := range map[string]struct{ text, want string }{
		"no reason":        {root(`/ws`, `""`), "which is no output"},
		"no root":          {root(`""`, "/p/out/d/inside"), "no root"},
		"another reason":   {root(`/ws`, "/p/out/d/other"), "which is no output"},
		"long root":        {root("/"+strings.Repeat("a", maxText+10), "/p/out/a.o"), "longer"},
		"too little":       {order("1,4,2,7"), "order"},
		"too much":         {order("1,4,3,8"), "order"},
		"a piece of none":  {order("1,0,2,12"), "order"},
		"leading zero":     {order("1,4,02,8"), "order"},
		"open end":         {order("1,4,2,8,"), "order"},
		"letters":          {order("1,4,2,x8"), "order"},
		"sign":             {order("1,4,2,+8"), "order"},
		"2^63":             {order("1,9223372036854775808,2"), "order"},
		"sum overflows":    {order("1,9223372036854775807,2,9223372036854775807"), "order"},
		"needs no mention": {order("3,12"), "order"},
		"of one stream":    {strings.Replace(order("0,12,0"), "stdout 3", "stdout 0", 1), "order"},
	} {
		m, err := both(t, reseal(tt.text))
		if tt.text == good || err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %+v, %v, want %q", name, m, err, tt.want)
		}
	}
	for _, right := range []string{"0,12,3", "1,12,2", "1,1,1,1,1,10"} {
		if m, err := both(t, reseal(order(right))); err != nil || m.Order != StreamOrder(right) {
			t.Errorf("%s: %v", right, err)
		}
	}
}

// No path lies below another one that is no directory, whatever sorts in between.
func TestManifestPathsBelowFiles(t *testing.T) {
	out := func(k entry.OutputKind, path string) entry.Output {
		o := entry.Output{Path: path, Kind: k}
		if k == entry.Link {
			o.Target = "x"
		}
		return o
	}
	tests := []struct {
		outs []entry.Output
		ok   bool
	}{
		{[]entry.Output{out(entry.File, "/a"), out(entry.File, "/a/b")}, false},
		{[]entry.Output{out(entry.Link, "/a"), out(entry.File, "/a/b")}, false},
		{[]entry.Output{out(entry.Dir, "/a"), out(entry.File, "/a/b")}, true},
		{[]entry.Output{out(entry.File, "/a"), out(entry.File, "/a.b"), out(entry.File, "/a/b")}, false},
		{[]entry.Output{out(entry.File, "/a"), out(entry.Dir, "/a b"), out(entry.File, "/a b/c"), out(entry.File, "/a/b/c/d")}, false},
		{[]entry.Output{out(entry.File, "/a"), out(entry.File, "/ab"), out(entry.File, "/abc"), out(entry.File, "/b")}, true},
		{[]entry.Output{out(entry.File, "/a"), out(entry.File, "/ab"), out(entry.File, "/ab.c"), out(entry.File, "/ab/c")}, false},
		{[]entry.Output{out(entry.Dir, "/a"), out(entry.File, "/a/b"), out(entry.Dir, "/a/b/c")}, false},
	}
	for _, tt := range tests {
		m := sampleManifest()
		m.Outputs = tt.outs
		if _, err := Encode(m); (err == nil) != tt.ok {
			t.Errorf("%v: %v, want ok=%v", tt.outs, err, tt.ok)
		}
	}
}

// Encode refuses what Decode would: nothing is ever published that reads as damaged.
func TestEncodeRefuses(t *testing.T) {
	for name, change := range map[string]func(m *Manifest){
		"link text that is not UTF-8": func(m *Manifest) { m.Outputs[2].Target = "\xff" },
		"size of a link":              func(m *Manifest) { m.Outputs[2].Size = 1 },
		"mode of a link":              func(m *Manifest) { m.Outputs[2].Mode = 0o777 },
		"target of a file":            func(m *Manifest) { m.Outputs[0].Target = "x" },
		"digest of a dir":             func(m *Manifest) { m.Outputs[1].Digest[0] = 1 },
		"kind":                        func(m *Manifest) { m.Outputs[0].Kind = 'x' },
		"sticky":                      func(m *Manifest) { m.Outputs[1].Mode = 0o1777 },
		"overflow":                    func(m *Manifest) { m.Outputs[0].Size = math.MaxInt64; m.StdoutLen = 1 },
		"failure":                     func(m *Manifest) { m.ExitStatus = 1 },
		"revision":                    func(m *Manifest) { m.Revision = RevisionPacked + 1 },
		"time":                        func(m *Manifest) { m.CreatedAt = -1 },
		"task":                        func(m *Manifest) { m.Task = strings.Repeat("\x01", maxText) },
		"order":                       func(m *Manifest) { m.Outputs[0], m.Outputs[1] = m.Outputs[1], m.Outputs[0] },
	} {
		m := sampleManifest()
		change(m)
		if b, err := Encode(m); err == nil {
			t.Errorf("%s: accepted\n%s", name, b)
		}
	}
}

// A manifest of another revision or hash function is foreign, not damaged, whatever follows (7.4).
func TestManifestSchema(t *testing.T) {
	good := string(mustEncode(t, sampleManifest()))
	for name, text := range map[string]string{
		"revision 0":    strings.Replace(good, "manifest 4", "manifest 0", 1),
		"revision 2":    strings.Replace(good, "manifest 4", "manifest 2", 1),
		"hash function": strings.Replace(good, "blake3", "sha3", 1),
		"other lines":   "haz manifest 6 blake3\nand what comes then",
	} {
		var foreign *SchemaError
		if m, err := both(t, []byte(text)); !errors.As(err, &foreign) {
			t.Errorf("%s: %+v, %v", name, m, err)
		}
	}
}

// Every single flipped bit is found (S-31).
func TestManifestEveryBit(t *testing.T) {
	good := mustEncode(t, boundManifest())
	for i := range good {
		for bit := range 8 {
			b := bytes.Clone(good)
			b[i] ^= 1 << bit
			if _, err := both(t, b); err == nil {
				t.Fatalf("bit %d of byte %d (%q) was not missed", bit, i, good[i])
			}
		}
	}
}

func TestManifestEveryTruncation(t *testing.T) {
	good := mustEncode(t, sampleManifest())
	for n := range good {
		if _, err := both(t, good[:n]); err == nil {
			t.Fatalf("the first %d bytes were accepted", n)
		}
	}
}

// A read error is told from damage.
func TestDecodeFromReadError(t *testing.T) {
	good := mustEncode(t, sampleManifest())
	broken := errors.New("disk on fire")
	for n := range good {
		_, err := DecodeFrom(io.MultiReader(bytes.NewReader(good[:n]), iotest.ErrReader(broken)))
		var read *text.ReadError
		if !errors.As(err, &read) || !errors.Is(err, broken) {
			t.Fatalf("after %d bytes: %v", n, err)
		}
	}
}

// Memory is bounded by what was read and found valid, not by what a manifest claims (S-31): a stream that goes on for ever
// ends at a limit.
func TestDecodeFromBoundedMemory(t *testing.T) {
	head := string(mustEncode(t, sampleManifest()))
	head = head[:strings.Index(head, "/p/out/a.o")]
	endless := func(b byte) io.Reader { return &repeat{b: b} }
	for name, tail := range map[string]io.Reader{
		"path":   endless('a'),
		"escape": &repeat{b: '\\'},
		"spaces": endless(' '),
		"zeros":  endless(0),
	} {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		_, err := DecodeFrom(io.MultiReader(strings.NewReader(head), tail))
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: accepted", name)
		}
		if got := after.TotalAlloc - before.TotalAlloc; got > 1<<20 {
			t.Errorf("%s: %d bytes allocated", name, got)
		}
	}
}

type repeat struct{ b byte }

func (r *repeat) Read(p []byte) (int, error) {
	for i := range p {
		p[i] = r.b
	}
	return len(p), nil
}

// The limits of 7.2: what lies at one is written and read, and one more is neither.
func TestManifestLimits(t *testing.T) {
	folders := func(n int, path func(i int) string) (outs []entry.Output) {
		for i := range n {
			outs = append(outs, entry.Output{Path: path(i), Kind: entry.Dir, Mode: 0o700})
		}
		return outs
	}
	long := strings.Repeat("x", 8<<10)
	links := func(sum int) (outs []entry.Output) {
		for i := 0; sum > 0; i++ {
			o := entry.Output{Path: fmt.Sprintf("/p/%06d", i), Kind: entry.Link}
			o.Target = long[:min(len(long), sum-len(o.Path))]
			sum -= len(o.Path) + len(o.Target)
			outs = append(outs, o)
		}
		return outs
	}
	control := func(outs []entry.Output) []entry.Output { // each byte is spelled as four
		for i := range outs {
			outs[i].Target = strings.Repeat("\x01", (len(outs[i].Target)-2)/4)
		}
		return outs
	}
	for name, tt := range map[string]struct {
		most, more []entry.Output
		want       string
	}{
		"outputs": {folders(maxOutputs, func(i int) string { return fmt.Sprintf("/p/%07d", i) }),
			folders(maxOutputs+1, func(i int) string { return fmt.Sprintf("/p/%07d", i) }), "131072"},
		// A folder that is an output, too, is a place twice; /p is one as well.
		"folders": {folders(maxPlaces/3, func(i int) string { return fmt.Sprintf("/%07d/a/b", i) }),
			folders(maxPlaces/3+1, func(i int) string { return fmt.Sprintf("/%07d/a/b", i) }), "262144"},
		"deep":          {folders(65, func(i int) string { return fmt.Sprintf("/%02d", i) + strings.Repeat("/a", 4000) }), folders(66, func(i int) string { return fmt.Sprintf("/%02d", i) + strings.Repeat("/a", 4000) }), "262144"},
		"texts":         {links(maxTexts), append(links(maxTexts), entry.Output{Path: "/q", Kind: entry.Dir}), "16 MiB"},
		"spelled texts": {control(links(maxTexts - 8<<10)), append(control(links(maxTexts-8<<10)), entry.Output{Path: "/q", Kind: entry.Link, Target: long}, entry.Output{Path: "/r", Kind: entry.Link, Target: long}), "16 MiB"},
	} {
		t.Run(name, func(t *testing.T) {
			m := sampleManifest()
			m.Outputs = tt.most
			got, err := both(t, mustEncode(t, m))
			if err != nil || !got.Same(m) {
				t.Fatalf("at the limit: %v", err)
			}
			m.Outputs = tt.more
			if _, err := Encode(m); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("one more: %v", err)
			}
			if _, err := both(t, beyond(t, m)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("one more was read: %v", err)
			}
		})
	}
}

// Room is made for what was read, not for what there could be: a small manifest costs little, sound or not.
func TestManifestMemory(t *testing.T) {
	sound := mustEncode(t, sampleManifest())
	for name, b := range map[string][]byte{"sound": sound, "cut off": sound[:len(sound)/2], "of zeros": make([]byte, 1<<20)} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := DecodeFrom(bytes.NewReader(b))
		_, again := Decode(bytes.Clone(b))
		runtime.ReadMemStats(&after)
		if made := after.TotalAlloc - before.TotalAlloc; made > 4<<20 || (err == nil) != (name == "sound") || (again == nil) != (err == nil) {
			t.Errorf("%s: %d bytes were allocated; %v, %v", name, made, err, again)
		}
	}
}

// beyond is the manifest that Encode does not write, sealed as it would be.
func beyond(t *testing.T, m *Manifest) []byte {
	t.Helper()
	all := m.Outputs
	m.Outputs = all[:1]
	head, tail, _ := strings.Cut(string(mustEncode(t, m)), "\nstdout ")
	w := text.Writer{B: []byte(head)}
	for i := range all[1:] {
		writeOutput(&w, &all[i+1])
	}
	return reseal(string(w.B) + "\nstdout " + tail)
}

// No entry within the limits has a manifest that is too long.
func TestManifestLongest(t *testing.T) {
	head := 1024 + 5*maxText + maxOrder
	if most := maxOutputs*maxItem + maxTexts + head; most > maxManifest {
		t.Errorf("a manifest may have %d bytes, and %d are read", most, maxManifest)
	}
}

// Paths that are prefixes of each other cost no more than others.
func TestManifestPrefixChain(t *testing.T) {
	m := sampleManifest()
	m.Outputs = nil
	for n := 1; n <= 4000; n++ {
		m.Outputs = append(m.Outputs, entry.Output{Path: "/" + strings.Repeat("a", n), Kind: entry.Link, Target: "x"})
	}
	if got, err := both(t, mustEncode(t, m)); err != nil || len(got.Outputs) != 4000 {
		t.Fatal(err)
	}
}

func FuzzManifest(f *testing.F) {
	f.Add(mustEncode(f, sampleManifest()))
	f.Add(mustEncode(f, boundManifest()))
	empty := sampleManifest()
	empty.Outputs = nil
	f.Add(mustEncode(f, empty))
	f.Add([]byte("haz manifest 4 sha256\nkey "))
	m, texts := packedSample()
	f.Add(pack(f, m, texts))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, b := range [][]byte{b, reseal(string(b))} {
			m, err := both(t, b)
			if err != nil {
				continue
			}
			again, err := Encode(m)
			if m.Packed() {
				again, _, err = EncodePacked(m, m.stdout, m.stderr, m.PackedBlob)
			}
			if err != nil {
				t.Fatalf("decoded but not encoded: %v\n%s", err, b)
			}
			if !bytes.Equal(again, b) {
				t.Fatalf("encoded again:\n%s\nwas:\n%s", again, b)
			}
		}
	})
}

func BenchmarkDecode(b *testing.B) {
	for _, n := range []int{1, 400} {
		m := sampleManifest()
		m.Outputs = nil
		for i := range n {
			m.Outputs = append(m.Outputs, entry.Output{Path: fmt.Sprintf("/p/out/%05d", i), Kind: entry.File, Digest: m.Key, Size: 4096, Mode: 0o644})
		}
		text := mustEncode(b, m)
		b.Run(fmt.Sprintf("outputs=%d", n), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(text)))
			buf := make([]byte, len(text))
			for b.Loop() {
				copy(buf, text)
				if _, err := Decode(buf); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkEncode(b *testing.B) {
	m := sampleManifest()
	m.Outputs = m.Outputs[:1]
	b.ReportAllocs()
	for b.Loop() {
		if _, err := Encode(m); err != nil {
			b.Fatal(err)
		}
	}
}
