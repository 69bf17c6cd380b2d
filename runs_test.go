package haz

import (
	"fmt"
	"io"
	"syscall"
	"testing"
	"time"

	"github.com/haz-build/haz/fsys/faultfs"
	"github.com/haz-build/haz/fsys/memfs"
)

// lastRun reads the record of the last run.
func (w *Workspace) lastRun() (string, error) {
	f, err := w.LastRun()
	if err != nil || f == nil {
		return "", err
	}
	defer f.Close()
	b, err := io.ReadAll(f)
	return string(b), err
}

// The last run is the latest by time, and 20 are kept.
func TestRunRecords(t *testing.T) {
	w := &Workspace{FS: memfs.New(), o: newOptions(nil)}
	if b, err := w.LastRun(); b != nil || err != nil {
		t.Fatalf("a fresh workspace has a last run: %v, %v", b, err)
	}
	at := time.Unix(1_700_000_000, 0)
	for i := range 50 {
		if err := w.KeepRun(fmt.Sprintf("run%d", i), at.Add(time.Duration(i)*time.Second), fmt.Appendf(nil, "record %d", i)); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := w.lastRun(); b != "record 49" || err != nil {
		t.Errorf("last run: %q, %v", b, err)
	}
	if w.LastRunGood() {
		t.Error("good")
	}
	if err := w.KeepGoodRun("good", at.Add(time.Hour), []byte("record of a good one")); err != nil {
		t.Fatal(err)
	}
	if b, err := w.lastRun(); b != "record of a good one" || err != nil || !w.LastRunGood() {
		t.Errorf("last run: %q, %v", b, err)
	}
	list, err := w.FS.List(runsDir)
	if err != nil || len(list) != runsKept {
		t.Errorf("%d records are kept, want %d (%v)", len(list), runsKept, err)
	}
}

// Whatever call fails, the record of the last run is the old one or the new one, whole.
func TestRunRecordsFaults(t *testing.T) {
	at := time.Unix(1_700_000_000, 0)
	for k := 0; ; k++ {
		mem := memfs.New()
		w := &Workspace{FS: mem, o: newOptions(nil)}
		if err := w.KeepRun("a", at, []byte("old")); err != nil {
			t.Fatal(err)
		}
		faulty := faultfs.FailAt(mem, k, syscall.EIO)
		err := (&Workspace{FS: faulty, o: w.o}).KeepRun("b", at.Add(time.Second), []byte("new"))
		got, rerr := w.lastRun()
		want := "new"
		if err != nil {
			want = "old"
		}
		if got != want || rerr != nil {
			t.Errorf("call %d failed: KeepRun says %v, the last run is %q, %v", k, err, got, rerr)
		}
		if faulty.Injected().Total() == 0 {
			if k < 4 {
				t.Errorf("only %d calls were tried", k)
			}
			return
		}
	}
}
