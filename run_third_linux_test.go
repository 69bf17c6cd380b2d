package haz_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
	"unsafe"

	haz "github.com/haz-build/haz"
)

// A run that the third interrupt ends returns while its processes are still dying. When the last of them is gone, so is the helper,
// and the host is no child subreaper any more (S-28). Not parallel: both are of the whole program.
func TestThirdInterruptGivesBack(t *testing.T) {
	w := onDisk(t)
	w.options = w.options[1:] // the spawner is haz's own
	for i := range 6 {
		w.write(t, "/.haz/workspace.yml", "projects: [/p]\nexecution: {cancel_grace: 3600}\n", "/p/haz.yml", fmt.Sprintf(
			"name: p\ntasks:\n  t: {shell: \"trap '' INT TERM; for i in 1 2 3 4 5 6 7 8; do sleep 60 & done; echo up %d; wait; while :; do sleep 1; done\", env: {from_host: [PATH]}}\n", i))
		signals := make(chan haz.Interrupt, 3)
		held := false
		ws := w.open(t)
		r, err := ws.Run(context.Background(), targetsOf(t, ws), haz.RunOptions{Signals: signals, Observer: onOutput("p:t", func() {
			held = subreaper(t) && len(helpers(t)) == 1
			for _, s := range []haz.Interrupt{{Name: "SIGINT", Number: 2}, {Name: "SIGTERM", Number: 15}, {Name: "SIGINT", Number: 2}} {
				signals <- s
			}
		})})
		if !held {
			t.Fatal("while the task ran there was no helper, or the host no subreaper: nothing is tested")
		}
		if err != nil || !r.Cancelled {
			t.Fatalf("%+v, %v", r, err)
		}
		deadline := time.Now().Add(20 * time.Second)
		for subreaper(t) || len(helpers(t)) > 0 {
			if time.Now().After(deadline) {
				t.Fatalf("run %d: subreaper %t, helpers %v", i, subreaper(t), helpers(t))
			}
			time.Sleep(time.Millisecond)
		}
	}
}

// subreaper reports whether this program has what its descendants leave behind.
func subreaper(t *testing.T) bool {
	t.Helper()
	const get = 37 // PR_GET_CHILD_SUBREAPER
	var on int32
	if _, _, e := syscall.RawSyscall(syscall.SYS_PRCTL, get, uintptr(unsafe.Pointer(&on)), 0); e != 0 {
		t.Fatal(e)
	}
	return on != 0
}

// helpers are the children of this program that watch over its death.
func helpers(t *testing.T) (pids []string) {
	t.Helper()
	all, err := os.ReadDir("/proc")
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range all {
		stat, _ := os.ReadFile("/proc/" + p.Name() + "/stat")
		args, _ := os.ReadFile("/proc/" + p.Name() + "/cmdline")
		_, rest, _ := strings.Cut(string(stat), ") ")
		if f := strings.Fields(rest); len(f) > 1 && f[1] == fmt.Sprint(os.Getpid()) && bytes.Contains(args, []byte("haz: ends the groups")) {
			pids = append(pids, p.Name())
		}
	}
	return pids
}
