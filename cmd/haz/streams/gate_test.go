package streams

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"

	"github.com/haz-build/haz/report"
)

// What is written to both writers comes out in its order when the gate opens, however much it is, and what follows at once.
func TestGate(t *testing.T) {
	for name, lines := range map[string]int{"in memory": 100, "more than fits into memory": 60_000} {
		t.Run(name, func(t *testing.T) {
			var all bytes.Buffer
			spool := func() (report.Spool, error) { return os.CreateTemp(t.TempDir(), "") }
			g := NewGate(marking{&all, "out "}, marking{&all, "err "}, spool)
			out, errs := g.Writers()
			fmt.Fprintln(out, "of the run before")
			g.Forget()
			for i := range lines {
				w := []io.Writer{out, errs}[i/3%2]
				fmt.Fprintf(w, "line %d of a text that is not short\n", i)
			}
			if all.Len() > 0 {
				t.Fatal("it leaks")
			}
			g.Open()
			g.Open()
			fmt.Fprintln(errs, "after")
			got := strings.NewReplacer("out ", "", "err ", "").Replace(all.String())
			for i := range lines {
				line, rest, _ := strings.Cut(got, "\n")
				if want := fmt.Sprintf("line %d of a text that is not short", i); line != want {
					t.Fatalf("%q, want %q", line, want)
				}
				got = rest
			}
			if got != "after\n" || !strings.HasSuffix(all.String(), "err after\n") || !strings.HasPrefix(all.String(), "out line 0") {
				t.Errorf("ends in %q", got)
			}
		})
	}
}

// Where there is no room what was kept comes out, and that something is missing.
func TestGateWithoutRoom(t *testing.T) {
	var all bytes.Buffer
	g := NewGate(&all, &all, func() (report.Spool, error) { return nil, errors.New("no room") })
	out, _ := g.Writers()
	fmt.Fprintln(out, "kept")
	if n, err := out.Write(make([]byte, gateMemory)); n != gateMemory || err != nil {
		t.Errorf("%d, %v", n, err)
	}
	g.Open()
	if got := all.String(); !strings.HasPrefix(got, "kept\nhaz: note: ") {
		t.Errorf("%q", got)
	}
}

type marking struct {
	to   io.Writer
	mark string
}

func (m marking) Write(b []byte) (int, error) {
	_, _ = io.WriteString(m.to, m.mark)
	return m.to.Write(b)
}
