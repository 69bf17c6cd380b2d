// Package messages is what the actors say to each other and to those who watch a run: plain values. Requests are imperative,
// events are past tense. No message holds a PID, a channel, a function or a pointer to changing state, so a run can be logged
// and replayed.
package messages

import (
	"time"

	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/workspace"
)

// Event is what an observer of a run sees, in order: RunStarted, then per task TaskStarted at most once, output, notes, an AttemptFailed
// or a TaskRestarted between two processes, and exactly one TaskFinished, then RunFinished. The set is sealed.
type Event interface{ event() }

// RunStarted opens a run.
type RunStarted struct {
	Run   string
	Tasks []workspace.TaskID // canonical order
	At    time.Time
}

// TaskStarted says that restoring or executing has begun.
type TaskStarted struct {
	Task workspace.TaskID
	Miss *entry.Miss // why it executes; nil when it is being restored
	At   time.Time
}

// TaskOutput carries raw bytes of a task, as they came; of a hit, the recorded ones, in the same order.
type TaskOutput struct {
	Task     workspace.TaskID
	Stderr   bool
	Replayed bool   // recorded by an earlier run
	Bytes    []byte // belongs to the receiver of the event only until it returns
}

// TaskNoted is a remark on a task that changes nothing: result not stored, entry damaged, waiting for another haz.
type TaskNoted struct {
	Task workspace.TaskID
	Text string
	Hint string
}

// Note is a remark on its way to become an event.
type Note struct{ Text, Hint string }

// RunNoted is a remark on the run as a whole.
type RunNoted struct{ Text, Hint string }

// AttemptFailed says that a process of a task failed and the task is tried again. What it printed came before, what the next one prints
// comes after.
type AttemptFailed struct {
	Task       workspace.TaskID
	N, Allowed int // which attempt, counted from 1, of how many at most
	Attempt    Attempt
	Wait       time.Duration // before the next one
}

// ServiceStarted says that a service is ready.
type ServiceStarted struct {
	Task workspace.TaskID
	Port int // where it listens; 0: it says none
	At   time.Time
	Took time.Duration // since its process was started
}

// TaskFinished is the end of a task.
type TaskFinished struct{ Outcome Outcome }

// ViolationFound reports a broken runtime invariant as soon as it is known.
type ViolationFound struct{ Violation Violation }

// RunCancelling says that the run is being cancelled: by which signal ("" when by the host), how many tasks are stopping, and
// whether they are being killed already.
type RunCancelling struct {
	Signal  string
	Running int
	Grace   time.Duration
	Force   bool
	// GoOn are tasks that are carried out all the same: finalizers of tasks that were started or may have been, and what these depend on
	// (EXEC-050). None with Force. They are not in Running.
	GoOn []workspace.TaskID
}

// RunFinished closes a run.
type RunFinished struct {
	Counts Counts
	At     time.Time
}

func (RunStarted) event()     {}
func (TaskStarted) event()    {}
func (TaskOutput) event()     {}
func (TaskNoted) event()      {}
func (RunNoted) event()       {}
func (AttemptFailed) event()  {}
func (ServiceStarted) event() {}
func (TaskFinished) event()   {}
func (ViolationFound) event() {}
func (RunCancelling) event()  {}
func (RunFinished) event()    {}
