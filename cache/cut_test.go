package cache_test

import (
	"testing"

	"github.com/haz-build/haz/cache/cachetest"
	"github.com/haz-build/haz/fsys/faultfs"
	"github.com/haz-build/haz/fsys/memfs"
)

// S-63: the end of a run flushes nothing, so a power cut after it may cost the result, or parts of its bytes. What is left is whole or a
// miss, whatever the disk has made of it.
func TestPowerCutAfterTheEnd(t *testing.T) {
	// Of a task with many files a power cut hardly ever leaves all.
	task := &cachetest.Task{Name: "p:gen", Patterns: []string{"/p/made"}, Stdout: "out\n", Outputs: cachetest.Tree{"/p/made": cachetest.File("made", 0o644)}}
	base := memfs.New()
	base.SetTime(cachetest.Epoch)
	must(t, task.Outputs.Write(base))
	must(t, users.Write(base))
	k := task.Key("out\n")
	ff := faultfs.New(base, 0, faultfs.Rule{At: 1 << 30, Do: faultfs.Cut})
	s, st := openOn(ff, cachetest.Epoch)
	if _, err := cachetest.Store(bg, s, task.Request(fn, k)); err != nil {
		t.Fatal(err)
	}
	s.Finish()
	st.Flush()
	must(t, s.Close())
	for _, c := range ff.Calls() {
		if c.Op == faultfs.OpSync {
			t.Errorf("a run waits for the device: %v", c)
		}
	}
	whole, lost := 0, 0
	for seed := range uint64(10_000) {
		if requireWholeOrMiss(t, ff.SurvivorOf(seed), task, k) {
			whole++
		} else {
			lost++
		}
	}
	if whole == 0 || lost == 0 {
		t.Errorf("%d whole, %d lost: this is no power cut", whole, lost)
	}
}
