package manifest

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
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

// both decodes in one piece and as a stream, and insists on one answer.
func both(t testing.TB, b []byte) (*Manifest, error) {
	t.Helper()
	streamed, streamErr := DecodeFrom(iotest.OneByteReader(bytes.NewReader(b)))
	m, err := Decode(bytes.Clone(b))
	if (err == nil) != (streamErr == nil) || !reflect.DeepEqual(m, streamed) {
		t.Fatalf("in one piece: %+v, %v\nas a stream: %+v, %v\n%s", m, err, streamed, streamErr, b)
	}
	return m, err
}

// The exact bytes are the format: field order, indentation, escapes, final newline (7.2, CACHE-011).
func TestManifestText(t *testing.T) {
	got := string(mustEncode(t, sampleManifest()))
	want := `{
  "chapter_revision": 2,
  "hash_function": "blake3",
  "key": "` + hasher.Sum(digest.BLAKE3, []byte("key")).Hex() + `",
  "root": "",
  "root_in": "",
  "outputs": [
    {
      "workspace_absolute_path": "/p/out/a.o",
      "kind": "file",
      "content_hash": "` + hasher.Sum(digest.BLAKE3, []byte("a")).Hex() + `",
      "size": 1,
      "mode": 420
    },
    {
      "workspace_absolute_path": "/p/out/d",
      "kind": "dir",
      "mode": 493
    },
    {
      "workspace_absolute_path": "/p/out/d/inside",
      "kind": "link",
      "target": "../a.o"
    },
    {
      "workspace_absolute_path": "/p/out/é \"quoted\" \\ back",
      "kind": "file",
      "content_hash": "` + hasher.Sum(digest.BLAKE3, nil).Hex() + `",
      "size": 0,
      "mode": 511
    }
  ],
  "stdout_len": 3,
  "stderr_len": 0,
  "stdout_hash": "` + hasher.Sum(digest.BLAKE3, []byte("ok\n")).Hex() + `",
  "stderr_hash": "` + hasher.Sum(digest.BLAKE3, nil).Hex() + `",
  "stream_order": "",
  "exit_status": 0,
  "created_at_unix": 1700000000,
  "duration_ms": 42,
  "task": "p:build",
  "manifest_hash": "`
	hash := hasher.Sum(digest.BLAKE3, []byte(want+zeroDigits+"\"\n}\n")).Hex()
	want += hash + "\"\n}\n"
	if got != want {
		t.Errorf("got:\n%s\nwant:\n%s", got, want)
	}
	if !json.Valid([]byte(got)) {
		t.Error("not JSON")
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
			var any map[string]any
			if err := json.Unmarshal(b, &any); err != nil {
				t.Errorf("another reader of JSON says: %v", err)
			}
		})
	}
}

// reseal gives a changed text the digest that belongs to it.
func reseal(text string) []byte {
	i := strings.Index(text, wordSelf)
	if i < 0 {
		return []byte(text)
	}
	b := []byte(text)
	at := i + len(wordSelf)
	if at+64 > len(b) {
		return b
	}
	copy(b[at:], zeroDigits)
	sum := hasher.Sum(digest.BLAKE3, b)
	hex.Encode(b[at:at+64], sum[:])
	return b
}

// Everything here is spelled correctly as a whole, digest included, and still no manifest (7.2).
func TestManifestRefused(t *testing.T) {
	good := string(mustEncode(t, sampleManifest()))
	item := func(path string) string {
		return strings.Replace(good, "/p/out/a.o", path, 1)
	}
	tests := map[string]struct{ text, want string }{
		"parent segment":    {item("/p/../../etc/passwd"), `".."`},
		"dot segment":       {item("/p/./a"), `"."`},
		"empty segment":     {item("/p//a"), "is empty"},
		"trailing slash":    {item("/p/a/"), "ends with"},
		"relative":          {item("p/a"), "does not begin"},
		"only a slash":      {item("/"), "root of the workspace"},
		"empty path":        {item(""), "does not begin"},
		"below .haz":        {item("/.haz/cache/x"), layout.Dir},
		".haz itself":       {item(layout.Dir), layout.Dir},
		"reserved name":     {item("/p/.haz-restore-0011223344556677/x"), "reserved"},
		"control character": {item(`/p/a\u0007`), "U+0007"},
		"zero width space":  {item("/p/a\u200b"), "U+200B"},
		"private use":       {item("/p/a\ue000"), "U+E000"},
		"noncharacter":      {item("/p/a\uffff"), "U+FFFF"},
		"not UTF-8":         {item("/p/a\xff"), "UTF-8"},
		"surrogate":         {item("/p/a\xed\xa0\x80"), "UTF-8"},
		"overlong":          {item("/p/a\xc0\xaf"), "UTF-8"},
		"long path":         {item("/" + strings.Repeat("a/", maxPath/2) + "b"), "longer"},
		"long text":         {item("/" + strings.Repeat("a", maxText+10)), "longer"},
		"out of order":      {item("/z"), "not in order"},
		"twice":             {strings.Replace(good, "/p/out/d\"", "/p/out/a.o\"", 1), "twice"},
		"unknown kind":      {strings.Replace(good, `"kind": "dir"`, `"kind": "fifo"`, 1), "unknown kind"},
		"set-uid":           {strings.Replace(good, `"mode": 420`, `"mode": 2541`, 1), "not allowed"},
		"mode of a dir":     {strings.Replace(good, `"mode": 493`, `"mode": 512`, 1), "not allowed"},
		"2^63":              {strings.Replace(good, `"size": 1,`, `"size": 9223372036854775808,`, 1), "range"},
		"2^64":              {strings.Replace(good, `"size": 1,`, `"size": 18446744073709551616,`, 1), "range"},
		"sum overflows":     {strings.Replace(good, `"size": 1,`, `"size": 9223372036854775807,`, 1), "overflow"},
		"negative size":     {strings.Replace(good, `"size": 1,`, `"size": -1,`, 1), "negative"},
		"fraction":          {strings.Replace(good, `"size": 1,`, `"size": 1.0,`, 1), "spelled"},
		"leading zero":      {strings.Replace(good, `"size": 1,`, `"size": 01,`, 1), "leading zero"},
		"upper-case digits": {strings.Replace(good, hasher.Sum(digest.BLAKE3, []byte("a")).Hex(), strings.ToUpper(hasher.Sum(digest.BLAKE3, []byte("a")).Hex()), 1), "hex"},
		"exit status":       {strings.Replace(good, `"exit_status": 0`, `"exit_status": 1`, 1), "CACHE-018"},
		"empty link":        {strings.Replace(good, `"../a.o"`, `""`, 1), "empty link"},
		"NUL in link":       {strings.Replace(good, `"../a.o"`, `"a\u0000b"`, 1), "NUL"},
		"duplicate field":   {strings.Replace(good, `"stdout_len": 3,`, "\"stdout_len\": 3,\n  \"stdout_len\": 3,", 1), "spelled"},
		"unknown field":     {strings.Replace(good, `"stdout_len": 3,`, "\"stdout_len\": 3,\n  \"x\": 3,", 1), "spelled"},
		"field of a kind":   {strings.Replace(good, `"kind": "dir",`, "\"kind\": \"dir\",\n      \"size\": 3,", 1), "spelled"},
		"other order":       {strings.Replace(good, "\"stdout_len\": 3,\n  \"stderr_len\": 0", "\"stderr_len\": 0,\n  \"stdout_len\": 3", 1), "spelled"},
		"no final newline":  {strings.TrimSuffix(good, "\n"), "spelled"},
		"bytes after it":    {good + "\n", "after the end"},
		"other escapes":     {strings.Replace(good, "/p/out/a.o", `\/p/out/a.o`, 1), "spelled"},
		"escaped letter":    {strings.Replace(good, "/p/out/a.o", `/p/out/\u0061.o`, 1), "spelled"},
		"open string":       {good[:strings.Index(good, "a.o")], "spelled"},
		"empty":             {"", "spelled"},
		"other JSON":        {`{"a": [1, 2, {"b": null}]}`, "spelled"},
		"null":              {"null\n", "spelled"},
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
		return strings.Replace(strings.Replace(good, `"root": "/home/\"me\"/ws"`, `"root": "`+root+`"`, 1), `"root_in": "/p/out/d/inside"`, `"root_in": "`+in+`"`, 1)
	}
	order := func(order string) string {
		return strings.Replace(good, `"stream_order": "1,4,2,8"`, `"stream_order": "`+order+`"`, 1)
	}
	for name, tt := range map[string]struct{ text, want string }{
		"no reason":        {root(`/ws`, ""), "which is no output"},
		"no root":          {root("", "/p/out/d/inside"), "no root"},
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
		"of one stream":    {strings.Replace(order("0,12,0"), `"stdout_len": 3`, `"stdout_len": 0`, 1), "order"},
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
		"revision":                    func(m *Manifest) { m.Revision++ },
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

// A manifest of another revision or hash function is foreign, not damaged, also in another spelling (7.4).
func TestManifestSchema(t *testing.T) {
	good := string(mustEncode(t, sampleManifest()))
	for name, text := range map[string]string{
		"revision 0":     strings.Replace(good, `"chapter_revision": 2`, `"chapter_revision": 0`, 1),
		"revision 1":     strings.Replace(good, `"chapter_revision": 2`, `"chapter_revision": 1`, 1),
		"hash function":  strings.Replace(good, `"blake3"`, `"sha3"`, 1),
		"other spelling": `{"hash_function": "blake3", "entries": {"a": [[1], 2]}, "chapter_revision": 0}`,
	} {
		var foreign *SchemaError
		if m, err := Decode([]byte(text)); !errors.As(err, &foreign) {
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
		var read *ReadError
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
		"escape": endless('\\'),
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
	text := strings.Repeat("x", 8<<10)
	links := func(sum int) (outs []entry.Output) {
		for i := 0; sum > 0; i++ {
			o := entry.Output{Path: fmt.Sprintf("/p/%06d", i), Kind: entry.Link}
			o.Target = text[:min(len(text), sum-len(o.Path))]
			sum -= len(o.Path) + len(o.Target)
			outs = append(outs, o)
		}
		return outs
	}
	control := func(outs []entry.Output) []entry.Output { // each byte is spelled as six
		for i := range outs {
			outs[i].Target = strings.Repeat("\x01", len(outs[i].Target)/6)
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
		"spelled texts": {control(links(maxTexts - 8<<10)), append(control(links(maxTexts-8<<10)), entry.Output{Path: "/q", Kind: entry.Link, Target: text}, entry.Output{Path: "/r", Kind: entry.Link, Target: text}), "16 MiB"},
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
	head, tail, _ := strings.Cut(string(mustEncode(t, m)), wordListEnd)
	b := []byte(head)
	for i := range all[1:] {
		b = appendOutput(append(b, ','), &all[i+1])
	}
	return reseal(string(append(b, wordListEnd+tail...)))
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
	f.Add([]byte("{\n  \"chapter_revision\": 2,\n  \"hash_function\": \"sha256\",\n  \"key\": \""))
	f.Add([]byte(`{"chapter_revision":1e3,"hash_function":[[[[]]]]}`))
	f.Fuzz(func(t *testing.T, b []byte) {
		for _, text := range [][]byte{b, reseal(string(b))} {
			m, err := both(t, text)
			if err != nil {
				continue
			}
			again, err := Encode(m)
			if err != nil {
				t.Fatalf("decoded but not encoded: %v\n%s", err, text)
			}
			if !bytes.Equal(again, text) {
				t.Fatalf("encoded again:\n%s\nwas:\n%s", again, text)
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
