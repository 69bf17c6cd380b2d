package tree

import (
	"testing"

	"github.com/haz-build/haz/fsys"
)

// S-64: where haz's own lies is looked up once a run. Until both are there each tree looks itself: a link may lead to what is only made.
func TestWithOwnOf(t *testing.T) {
	mem := memory(t, "/.haz/cache->../kept /.haz/state/ /p/a")
	disk := &realPaths{FS: mem}
	run, all := New(disk), mustParse(t, "/**")
	see := func() string { return selected(t, New(disk).WithOwnOf(run), all) }
	for _, got := range []string{see(), selected(t, run, all)} {
		if got != "/p/a" {
			t.Errorf("before there is a cache: %s", got)
		}
	}
	makeTree(t, mem, "/kept/ab/entry")
	if got := see(); got != "/p/a" {
		t.Errorf("what the link leads to was made meanwhile, and is seen: %s", got)
	}
	disk.asked = 0
	if got := see(); got != "/p/a" || disk.asked > 0 {
		t.Errorf("%s, looked %d times", got, disk.asked)
	}
	run.ForgetAll() // a process has ended
	if got := see(); got != "/p/a" || disk.asked > 0 {
		t.Errorf("%s, looked %d times after all was forgotten", got, disk.asked)
	}
}

// realPaths counts the looks at links.
type realPaths struct {
	fsys.FS
	asked int
}

func (r *realPaths) RealPath(name string) (string, error) {
	r.asked++
	return r.FS.RealPath(name)
}
