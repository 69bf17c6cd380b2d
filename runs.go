package haz

import (
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/layout"
)

// runsDir holds the records of the last runs (chapter 3, 4.6); runsKept is how many.
const (
	runsDir  = layout.StateDir + "/runs"
	runsKept = 20

	goodRun = ".good.json" // ends the name of the record of a run of which each task succeeded
)

// KeepRun keeps the record of a run that started at a time, and removes the oldest ones. What a record is made of is the
// caller's business. The error is *NotKeptError.
func (w *Workspace) KeepRun(run string, started time.Time, record []byte) error {
	return w.keepRun(run+".json", started, record)
}

// KeepGoodRun is KeepRun of a run of which each task succeeded.
func (w *Workspace) KeepGoodRun(run string, started time.Time, record []byte) error {
	return w.keepRun(run+goodRun, started, record)
}

// LastRunGood reports whether the latest run was kept as a good one, without reading what is kept of it.
func (w *Workspace) LastRunGood() bool {
	names, _ := w.runNames()
	return len(names) > 0 && strings.HasSuffix(names[len(names)-1], goodRun)
}

func (w *Workspace) keepRun(name string, started time.Time, record []byte) error {
	if err := state.MakeDir(w.FS, runsDir); err != nil {
		return w.notKept(runsDir, err)
	}
	name = fmt.Sprintf("%s/%020d-%s", runsDir, started.UnixNano(), name)
	if err := fsys.WriteFileAtomic(w.FS, name, record, 0o600); err != nil {
		return w.notKept(runsDir, err)
	}
	w.forgetRuns()
	return nil
}

// forgetRuns removes all but the newest records, and temporary files that a crash has left.
func (w *Workspace) forgetRuns() {
	names, stray := w.runNames()
	for _, n := range append(stray, names[:max(0, len(names)-runsKept)]...) {
		_ = w.FS.Remove(runsDir + "/" + n)
	}
}

// LastRun opens the record of the latest run; nil when none is kept. It may be of any length, and made by anybody.
func (w *Workspace) LastRun() (io.ReadCloser, error) {
	names, _ := w.runNames()
	if len(names) == 0 {
		return nil, nil
	}
	f, err := w.FS.OpenNoFollow(runsDir + "/" + names[len(names)-1])
	if err != nil {
		return nil, err
	}
	return f, nil
}

// runNames lists the records, oldest first (names begin with the time), and the temporary files of records
// that a crash has left more than an hour ago.
func (w *Workspace) runNames() (names, stray []string) {
	entries, err := w.FS.List(runsDir)
	if err != nil {
		return nil, nil
	}
	for _, e := range entries {
		switch {
		case strings.HasSuffix(e.Name, ".json") && !strings.HasPrefix(e.Name, "."):
			names = append(names, e.Name)
		case fsys.IsTemporary(e.Name):
			info, err := w.FS.Lstat(runsDir + "/" + e.Name)
			if err == nil && w.o.clock.Now().UnixNano()-info.MTime > int64(time.Hour) {
				stray = append(stray, e.Name)
			}
		}
	}
	slices.Sort(names)
	return names, stray
}
