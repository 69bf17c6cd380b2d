package haz

import (
	"fmt"

	"github.com/haz-build/haz/actors"
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/messages"
)

// Order is what a Command asks for.
type Order uint8

const (
	// CancelTask ends one task, as a cancelled run would: SIGTERM to its process, and SIGKILL after the grace. Tasks that need it are cancelled as
	// well, all others go on (EXEC-083).
	CancelTask Order = iota + 1
	// RestartTask stops the process of a task and starts another one in its place, which is no retry (EXEC-084).
	RestartTask
	// SetJobs changes how many tasks execute at a time. None is stopped for it (EXEC-085).
	SetJobs
)

func (o Order) String() string { return [...]string{"?", "cancel", "restart", "jobs"}[o] }

// Command is what a host asks of a run while it is under way (RunOptions.Commands).
type Command struct {
	Order Order
	Task  TaskID // CancelTask, RestartTask
	Jobs  int    // SetJobs, from 1 on
	// Answer gets one answer, if there is room for it at that moment: nil when it is being done, or a *CommandError. A channel with room for one is
	// what it takes; nil: nobody wants to know.
	Answer chan<- error
}

// Refusal is why a command is not carried out.
type Refusal uint8

const (
	UnknownTask  Refusal = iota + 1 // the run has no such task
	TaskEnded                       // it has its outcome, and keeps it, or is past its process and will have it soon
	NotExecuting                    // no process of it runs
	RunStopping                     // nothing starts any more
	RunEnded                        // the run is over
	BadCommand                      // no such order, or no such number of jobs
)

func (r Refusal) String() string {
	return [...]string{"?", "unknown task", "task ended", "not executing", "run stopping", "run ended", "bad command"}[r]
}

// A CommandError says why a command is not carried out.
type CommandError struct {
	Command Command
	Refusal Refusal
	Status  Status // with TaskEnded: how the task ended; 0 while that is not written down
}

func (e *CommandError) Error() string {
	task := "task " + diag.Quote(e.Command.Task.String())
	switch e.Refusal {
	case UnknownTask:
		return task + " is not in this run"
	case TaskEnded:
		if e.Status == 0 {
			return task + " has come to its end already"
		}
		return task + " has ended already: " + e.Status.String()
	case NotExecuting:
		return task + " is not executing"
	case RunStopping:
		return "the run is stopping"
	case RunEnded:
		return "the run has ended"
	}
	if e.Command.Order == SetJobs {
		return fmt.Sprintf("%d is no number of jobs", e.Command.Jobs)
	}
	return "there is no such command"
}

// answer gives the answer to whoever waits for it.
func (c Command) answer(err error) {
	select {
	case c.Answer <- err:
	default:
	}
}

func (c Command) refuse(r Refusal, s Status) {
	c.answer(&CommandError{Command: c, Refusal: r, Status: s})
}

// refuse answers what nobody has received when a run is over.
func refuse(commands <-chan Command) {
	for {
		select {
		case c, open := <-commands:
			if open {
				c.refuse(RunEnded, 0)
				continue
			}
		default:
		}
		return
	}
}

// asking passes commands on to the actors of a run.
type asking struct {
	h     *actors.Handle
	plan  *Plan
	tasks map[TaskID]int
}

func (a *asking) ask(c Command) {
	request, why := a.request(c)
	if request == nil {
		c.refuse(why, 0)
		return
	}
	a.h.Ask(request, func(m messages.CommandAnswered) {
		switch m.Verdict {
		case messages.Taken:
			c.answer(nil)
		case messages.HasEnded:
			c.refuse(TaskEnded, m.Status)
		case messages.NotExecuting:
			c.refuse(NotExecuting, 0)
		case messages.RunStops:
			c.refuse(RunStopping, 0)
		default:
			c.refuse(RunEnded, 0)
		}
	})
}

func (a *asking) request(c Command) (func(messages.Asked) any, Refusal) {
	switch {
	case c.Order == SetJobs && c.Jobs > 0:
		return func(n messages.Asked) any { return messages.SetSlots{Asked: n, Slots: c.Jobs} }, 0
	case c.Order != CancelTask && c.Order != RestartTask:
		return nil, BadCommand
	}
	if a.tasks == nil {
		a.tasks = make(map[TaskID]int, len(a.plan.Tasks))
		for i, t := range a.plan.Tasks {
			a.tasks[t.ID] = i
		}
	}
	i, known := a.tasks[c.Task]
	switch {
	case !known:
		return nil, UnknownTask
	case c.Order == CancelTask:
		return func(n messages.Asked) any { return messages.CancelOne{Asked: n, Task: i} }, 0
	}
	return func(n messages.Asked) any { return messages.RestartOne{Asked: n, Task: i} }, 0
}
