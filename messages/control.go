package messages

import "github.com/haz-build/haz/workspace"

// What somebody asks of a run while it is under way. The supervisor hears it first, and passes on what is for a task or for admission.

// Asked numbers what is asked of a run, from 1 on: what comes twice does nothing, and an answer carries the number.
type Asked struct {
	Run RunID
	N   int
}

// CancelOne asks for the end of one task, as if its run were cancelled, and of what needs it (EXEC-083). The task answers with CommandTaken.
type CancelOne struct {
	Asked
	Task int
}

// RestartOne asks that the process of a task be stopped and another one started in its place (EXEC-084). The task answers with CommandTaken.
type RestartOne struct {
	Asked
	Task int
}

// SetSlots asks for another number of slots (EXEC-085).
type SetSlots struct {
	Asked
	Slots int
}

// Verdict is what became of something that was asked for.
type Verdict uint8

const (
	Taken        Verdict = iota + 1 // it is being done
	HasEnded                        // the task has an outcome, or its process has come to its end
	NotExecuting                    // no process of the task runs
	RunStops                        // nothing starts any more
	RunIsOver                       // there is nobody left to do it
)

func (v Verdict) String() string {
	return [...]string{"?", "taken", "has ended", "not executing", "run stops", "run is over"}[v]
}

// CommandTaken is what a task says to CancelOne and RestartOne.
type CommandTaken struct {
	Asked
	Task    int
	Verdict Verdict
}

// CommandAnswered tells the root of the run, and by it whoever asked, what became of it: once for each number.
type CommandAnswered struct {
	Asked
	Verdict Verdict
	Status  Status // with HasEnded: of the outcome; 0 while there is none yet
}

// TaskRestarted says that the process of a task was stopped by request, and that another one follows. What it printed came before, what the next
// one prints comes after.
type TaskRestarted struct{ Task workspace.TaskID }

func (TaskRestarted) event() {}

func (m CancelOne) TaskIndex() int  { return m.Task }
func (m RestartOne) TaskIndex() int { return m.Task }
