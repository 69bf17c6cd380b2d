package outputs

import (
	"context"
	"strings"
	"testing"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/state"
)

// Whoever reads what lies at the outputs of a task can tell two of these apart, and so can the digest.
func TestLying(t *testing.T) {
	was := map[digest.Digest]string{}
	for _, steps := range [][]string{
		nil, {"write o/a x"}, {"write o/a y"}, {"write o/b x"}, {"write o/a x", "mode o/a 755"}, {"link o/a x"}, {"link o/a y"},
		{"dir o/a"}, {"write o/a x", "write o/b x"}, {"write x x"},
	} {
		w := newTask(t, "o/**", "x")
		w.do(append([]string{"write other x"}, steps...)...)
		d, err := Lying(context.Background(), w.fs, w.st, digest.BLAKE3, w.patterns)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.Join(steps, ", ")
		if other, twice := was[d]; twice {
			t.Errorf("%q and %q have one digest", name, other)
		}
		was[d] = name
		if d.IsZero() != (steps == nil) {
			t.Errorf("%q: %v", name, d)
		}
	}
	w := newTask(t, "o/**")
	w.do("write o/a x")
	fsy := &unreadable{FS: w.fs, reads: map[string]int{}}
	if _, err := Lying(context.Background(), fsy, state.Open(fsy, digest.BLAKE3), digest.BLAKE3, w.patterns); err == nil {
		t.Error("a file that cannot be read counts as none")
	}
	if d, err := Lying(context.Background(), w.fs, w.st, digest.BLAKE3, nil); err != nil || !d.IsZero() {
		t.Errorf("no outputs: %v, %v", d, err)
	}
}
