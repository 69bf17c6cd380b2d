package haz_test

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	haz "github.com/haz-build/haz"
	"github.com/haz-build/haz/messages"
)

// S-45 for a host: its function is called while the processes of the run stand still and none is started, also when one of them
// comes to its end meanwhile; and it has returned before Run does.
func TestSuspend(t *testing.T) {
	w := onDisk(t)
	tasks(t, w, `a: shell: "echo $$ > pid; echo up; exec stay", outputs: [pid]`, `b: shell: "echo b"`)
	suspend, ended := make(chan func()), make(chan bool)
	returned := false
	r := w.runWith(t, context.Background(), w.open(t), haz.RunOptions{Jobs: 1, Suspend: suspend, Observer: func(e messages.Event) {
		switch e := e.(type) {
		case messages.TaskOutput:
			if e.Task.Task == "b" {
				break
			}
			suspend <- func() {
				pid, state := stateIn(t, w, "/p/pid")
				if state != "T" && state != "D" {
					t.Errorf("the task is in state %s", state)
				}
				if err := syscall.Kill(pid, syscall.SIGKILL); err != nil {
					t.Error(err)
				}
				<-ended
				time.Sleep(200 * time.Millisecond) // enough for the other task, if it did start
				if slices.Contains(w.spawner.labels(), "p:b") {
					t.Error("another task was started")
				}
				returned = true
			}
		case messages.TaskFinished:
			if e.Outcome.Task.Task == "a" {
				close(ended)
			}
		}
	}})
	r.counts(t, 1, 0, 1, 0, 0)
	if !returned {
		t.Error("Run returned before the function did")
	}
}

// stateIn is the state of the process whose number is in a file.
func stateIn(t *testing.T, w *world, file string) (pid int, state string) {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(w.dir, file))
	if err != nil {
		t.Error(err)
		return 0, "?"
	}
	pid, _ = strconv.Atoi(strings.TrimSpace(string(b)))
	line, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		t.Skip("no /proc here")
	}
	return pid, string(line[strings.LastIndexByte(string(line), ')')+2])
}

// Who is asked to end goes on, and can clean up, also while the function has not returned.
func TestCancelWhileSuspended(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		stoppable(t, w, "echo half > a.txt; echo up; stay")
		ctx, cancel := context.WithCancel(context.Background())
		defer cancel()
		suspend, ended := make(chan func(), 1), make(chan bool)
		r := w.runWith(t, ctx, w.open(t), haz.RunOptions{Jobs: 1, Suspend: suspend, Observer: func(e messages.Event) {
			switch e := e.(type) {
			case messages.TaskOutput:
				suspend <- func() {
					cancel()
					<-ended
				}
			case messages.TaskFinished:
				if e.Outcome.Task.Task == "a" {
					close(ended)
				}
			}
		}})
		checkStopped(t, w, r)
	})
}

// A function that panics ends nobody: the run goes on, and says so.
func TestSuspendPanics(t *testing.T) {
	inBoth(t, func(t *testing.T, w *world) {
		tasks(t, w, `a: shell: "echo up; echo a"`)
		suspend := make(chan func())
		ws := w.open(t)
		r, err := ws.Run(context.Background(), targetsOf(t, ws), haz.RunOptions{Suspend: suspend, Observer: onOutput("p:a", func() {
			suspend <- func() { panic("pressed too hard") }
		})})
		if err == nil || !strings.Contains(err.Error(), "pressed too hard") || r.Counts.Completed != 1 {
			t.Errorf("error %v, %+v", err, r.Counts)
		}
	})
}
