package report

import (
	"io"
	"runtime"
	"strings"
	"testing"
)

// Memory for a record of a run is bounded, whatever it holds.
func TestUnfinishedLimits(t *testing.T) {
	const open, task = `{"version":1,"tasks":[`, `{"project":"p","task":"`
	endless := func(s string) io.Reader { return &endlessly{s: s, left: 256 << 20} }
	for name, tail := range map[string]io.Reader{
		"text":     io.MultiReader(strings.NewReader(task), endless("x")),
		"escapes":  io.MultiReader(strings.NewReader(task), endless(`\\`)),
		"number":   io.MultiReader(strings.NewReader(`{"duration_ms":`), endless("1")),
		"space":    endless("      "),
		"lists":    endless("["),
		"objects":  io.MultiReader(strings.NewReader(`{"a":`), endless(`{"a":`)),
		"tasks":    endless(`{},`),
		"outcomes": endless(`{"project":"p","task":"t","outcome":"failed"},`),
	} {
		var before, after runtime.MemStats
		runtime.GC()
		runtime.ReadMemStats(&before)
		r := &counted{r: io.MultiReader(strings.NewReader(open), tail)}
		_, err := ReadUnfinished(r)
		runtime.ReadMemStats(&after)
		if err == nil || r.n > 64<<20 {
			t.Errorf("%s: %v after %d bytes", name, err, r.n)
		}
		if got := after.TotalAlloc - before.TotalAlloc; got > 512<<20 {
			t.Errorf("%s: %d MiB were allocated", name, got>>20)
		}
	}
}

// endlessly repeats a text for very long.
type endlessly struct {
	s    string
	left int
}

func (e *endlessly) Read(p []byte) (int, error) {
	if e.left <= 0 {
		return 0, io.EOF
	}
	n := 0
	for n+len(e.s) <= len(p) {
		n += copy(p[n:], e.s)
	}
	if n == 0 {
		n = copy(p, e.s)
		e.s = e.s[n:] + e.s[:n]
	}
	e.left -= n
	return n, nil
}

type counted struct {
	r io.Reader
	n int
}

func (c *counted) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	c.n += n
	return n, err
}
