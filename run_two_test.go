package haz_test

import (
	"context"
	"path"
	"strings"
	"sync"
	"testing"

	haz "github.com/haz-build/haz"
	"github.com/haz-build/haz/fsys"
)

// peeking calls before when a file is looked at for the first time.
type peeking struct {
	fsys.FS
	base, name string
	before     func()
}

func (p peeking) Sub(dir string) (fsys.FS, error) {
	f, err := p.FS.Sub(dir)
	p.FS, p.base = f, path.Join(p.base, dir)
	return p, err
}

func (p peeking) Lstat(name string) (fsys.Info, error) {
	if path.Join(p.base, name) == p.name {
		p.before()
	}
	return p.FS.Lstat(name)
}

// Another haz restores an output while this one is about to look at it. It is what that one says it is, the task's own, and goes
// when the result has it no more.
func TestRestoredByAnotherMeanwhile(t *testing.T) {
	w := inMemory(t)
	one := `t: shell: "mkdir -p out; echo x > out/a", outputs: ["out/**"]`
	two := strings.Replace(one, "out/a", "out/a; echo y > out/b", 1)
	for _, line := range []string{one, two, one} {
		tasks(t, w, line)
		w.run(t, haz.RunOptions{})
	}
	w.has(t, "/p/out/b", "absent")
	tasks(t, w, two)
	var once sync.Once
	other := w.open(t)
	ws := w.open(t, haz.WithFileSystem(peeking{FS: w.mem, base: "/", name: "/ws/p/out/b", before: func() {
		once.Do(func() {
			if r, err := other.Run(context.Background(), targetsOf(t, other), haz.RunOptions{}); err != nil || r.Counts.Cached != 1 {
				t.Errorf("the other one: %+v, %v", r, err)
			}
		})
	}}))
	w.runWith(t, context.Background(), ws, haz.RunOptions{}).counts(t, 1, 1, 0, 0, 0)
	w.has(t, "/p/out/a", "x\n", "/p/out/b", "y\n")
	tasks(t, w, one)
	w.run(t, haz.RunOptions{}).counts(t, 1, 1, 0, 0, 0)
	w.has(t, "/p/out/a", "x\n", "/p/out/b", "absent")
}
