package store

import (
	"bytes"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/haz-build/haz/cache/manifest"
)

func TestSpellingsOfARoot(t *testing.T) {
	for _, c := range []struct {
		root, text string
		found      bool
	}{
		{"/home/me/ws", "set(HOME /home/me/ws/build)", true},
		{"/home/me/ws", "/home/me/ws", true},
		{"/home/me/ws", `{"dir":"\/home\/me\/ws\/x"}`, true},
		{"/home/me/ws", "file:///home/me/ws/x", true},
		{"/home/me/ws", "\x00\x00/home/me/ws\x00", true},
		{"/home/me/ws", "-I/home/me/ws/include", true},
		{"/home/me/ws", "/home/me/w /home/me /home/ME/ws home/me/ws", false},
		{"/home/me/ws", "../me/ws/x", false},
		{"/home/me/ws", "", false},
		{"/home/me/my ws", "cd /home/me/my\\ ws", true},
		{"/home/me/my ws", "file:///home/me/my%20ws/a", true},
		{"/home/me/my ws", "'/home/me/my ws'", true},
		{"/home/me/my ws", "/home/me/my", false},
		{"/home/müller/ws", `"/home/m\u00fcller/ws/x"`, true},
		{"/home/müller/ws", "file:///home/m%C3%BCller/ws", true},
		{"/home/müller/ws", "/home/müller/ws", true},
		{"/😀", `{"\/\ud83d\ude00"}`, true},
		{"/日本", "x /日本/y", true},
		{`/a"b`, `"/a\"b/c"`, true},
		{"/app", "cwd=/app", true},
		{"/app", "cwd=/app/x", true},
		{"/app", "file:///app/x", true},
		{"/app", "-I/app/include", true},
		{"/app", "GET /application", false},
		{"/app", "../app/x", false},
		{"/app", "/srv/app", false},
		{"/app", "/app.js", false},
		{"/app", "/app", true},
		{"/", "/", false},
		{"", "x", false},
		{"relative", "relative", false},
	} {
		s := rootSearch{l: lookFor(manifest.Root{Path: c.root})}
		if got := s.text(c.text); got != c.found || s.found != c.found {
			t.Errorf("%s in %q: %v", c.root, c.text, got)
		}
	}
	s := rootSearch{l: lookFor(manifest.Root{Path: "/real/ws", Seen: []string{"/real/ws", "/seen/ws"}})}
	if !s.text("x/seen/ws/y") {
		t.Error("what the root is seen by is not found")
	}
}

// However a file is cut into pieces, the path in it is found, and nothing else is.
func TestRootAcrossPieces(t *testing.T) {
	random := rand.New(rand.NewPCG(1, 2))
	root := "/home/me/projects/" + strings.Repeat("deep/", 20) + "ws"
	l := lookFor(manifest.Root{Path: root})
	for round := range 400 {
		b := make([]byte, random.IntN(2000))
		for i := range b {
			b[i] = root[random.IntN(len(root))]
		}
		want := round%2 == 0
		if want {
			at := random.IntN(len(b) + 1)
			b = append(b[:at:at], append([]byte(root), b[at:]...)...)
		}
		want = want || bytes.Contains(b, []byte(root))
		s := rootSearch{l: l}
		var src io.Reader = bytes.NewReader(b)
		switch round % 3 {
		case 0:
			src = iotest.OneByteReader(src)
		case 1:
			src = iotest.HalfReader(src)
		}
		// What another file ended with does not count.
		if _, err := io.Copy(io.Discard, s.over(strings.NewReader(root[:len(root)/2]))); err != nil {
			t.Fatal(err)
		}
		if _, err := io.Copy(io.Discard, onlyReader{s.over(src)}); err != nil {
			t.Fatal(err)
		}
		if s.found != want {
			t.Fatalf("round %d: found %v in %q", round, s.found, b)
		}
		if n := cap(s.tail); n > 8*len(root) {
			t.Fatalf("%d bytes are kept", n)
		}
	}
}

type onlyReader struct{ io.Reader }

// BenchmarkRootSearch is what a store pays for each byte, beside digesting and copying it.
func BenchmarkRootSearch(b *testing.B) {
	random := rand.New(rand.NewPCG(1, 2))
	noise := make([]byte, 512<<10)
	for i := range noise {
		noise[i] = byte(random.Uint32())
	}
	text := bytes.Repeat([]byte("the quick brown fox jumps over the lazy dog; int main(void) { return projects->home; }\n"), 6000)
	for name, data := range map[string][]byte{"noise": noise, "text": text, "paths": bytes.Repeat([]byte("/home/me/projects/other/src/file.c\n"), 15000)} {
		b.Run(fmt.Sprintf("of=%s", name), func(b *testing.B) {
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				s := rootSearch{l: lookFor(manifest.Root{Path: "/home/me/projects/workspace"})}
				const chunk = 256 << 10 // as copies are
				for at := 0; at < len(data); at += chunk {
					s.feed(data[at:min(at+chunk, len(data))])
				}
				if s.found {
					b.Fatal("found")
				}
			}
		})
	}
}
