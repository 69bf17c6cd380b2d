package haz_test

import (
	"testing"
	"time"

	"github.com/spf13/afero"

	haz "github.com/haz-build/haz"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/process"
	"github.com/haz-build/haz/process/processtest"
)

// sameStat puts other bytes of the same length into a file, and its old time with them: all that a disk of afero's tells is as it was.
func sameStat(t *testing.T, disk afero.Fs, name, text string) {
	t.Helper()
	look := func() (size int64, when time.Time) {
		info, err := disk.Stat(name) // which goes on living
		if err != nil {
			t.Fatal(err)
		}
		return info.Size(), info.ModTime()
	}
	size, when := look()
	if err := afero.WriteFile(disk, name, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := disk.Chtimes(name, when, when); err != nil {
		t.Fatal(err)
	}
	if nowSize, now := look(); nowSize != size || !now.Equal(when) {
		t.Fatalf("%s: %d bytes of %v, were %d of %v", name, nowSize, now, size, when)
	}
}

// A disk that has neither change times nor numbers of files: an equal stat is never taken for equal bytes, whatever is old enough.
func TestAferoStatProvesNothing(t *testing.T) {
	disk := afero.NewMemMapFs()
	w := onAfero(t, disk)
	pair(t, w)
	long := time.Now().Add(-time.Hour)
	for _, name := range []string{"/ws/lib/src.txt", "/ws/app/main.txt"} {
		if err := disk.Chtimes(name, long, long); err != nil {
			t.Fatal(err)
		}
	}
	w.run(t, haz.RunOptions{}, "app:build").counts(t, 2, 0, 0, 0, 0)
	w.run(t, haz.RunOptions{}, "app:build").counts(t, 2, 2, 0, 0, 0)

	sameStat(t, disk, "/ws/lib/src.txt", "SOURCE\n") // an input
	r := w.run(t, haz.RunOptions{}, "app:build")
	r.processes(t, "lib:compile", "app:build")
	w.has(t, "/app/bin/app", "SOURCE\nmain\n")

	sameStat(t, disk, "/ws/lib/out/lib.a", "source\n") // what one task makes and the other reads
	sameStat(t, disk, "/ws/app/bin/app", "source\nmain\n")
	r = w.run(t, haz.RunOptions{}, "app:build")
	r.counts(t, 2, 2, 0, 0, 0)
	r.processes(t)
	w.has(t, "/lib/out/lib.a", "SOURCE\n", "/app/bin/app", "SOURCE\nmain\n")
}

// Nor while a task runs: what it made of other bytes than those of its key is not stored.
func TestAferoInputChangesUnderATask(t *testing.T) {
	disk := afero.NewMemMapFs()
	w := onAfero(t, disk)
	tasks(t, w, `make: command: [make], inputs: [in], outputs: [out]`)
	w.write(t, "/p/in", "old\n")
	edit := true
	w.spawner.Spawner.(*processtest.Spawner).Name("make", processtest.Program{
		Script: func(process.Command, process.Sink, <-chan processtest.Signal) process.Exit {
			if edit {
				sameStat(t, disk, "/ws/p/in", "new\n")
			}
			text, err := afero.ReadFile(disk, "/ws/p/in")
			if err == nil {
				err = afero.WriteFile(disk, "/ws/p/out", text, 0o644)
			}
			if err != nil {
				t.Error(err)
			}
			return process.Exit{}
		}})
	r := w.run(t, haz.RunOptions{}, "p:make")
	if o := r.Outcomes[0]; o.Store == messages.Stored {
		t.Errorf("stored: %+v", o)
	}
	edit = false
	sameStat(t, disk, "/ws/p/in", "old\n")
	w.run(t, haz.RunOptions{}, "p:make").processes(t, "p:make")
	w.has(t, "/p/out", "old\n")
}
