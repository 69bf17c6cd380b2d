package main

import (
	"fmt"
	"time"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/report"
)

// diskPatience is how long a file system may take for one call before people are told whom haz waits for.
const diskPatience = 10 * time.Second

// watchDisk tells of calls into file systems that do not come back, whatever haz is at, until stop is called. In a run the note goes
// where all else of the run goes.
func watchDisk(errs report.Stream) (stop func()) {
	return fsys.WatchCalls(diskPatience, func(path string, since time.Duration, others int) {
		note := messages.RunNoted{Text: waitingForDisk(path, since, others)}
		if p := suspending.printing(); p != nil {
			p.Handle(note)
			return
		}
		_, _ = errs.W.Write([]byte(report.Look{Palette: errs.Palette}.RunNote(note)))
	})
}

func waitingForDisk(path string, since time.Duration, others int) string {
	text := fmt.Sprintf("waiting %s for %s: the file system does not answer", report.Grace(since), path)
	if others > 0 {
		text = fmt.Sprintf("waiting %s for %s and %d more: the file system does not answer", report.Grace(since), path, others)
	}
	return text
}
