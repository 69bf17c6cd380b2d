package attach

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/haz-build/haz/cache/entry"
	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/workspace"
)

// line is an event as it goes over the wire: of each kind, what there is to show of it. Words that a later haz adds are left out by an earlier one.
type line struct {
	Event string     `json:"event"`
	At    *time.Time `json:"at,omitempty"`
	Run   string     `json:"run,omitempty"`
	Task  string     `json:"task,omitempty"`
	Tasks []string   `json:"tasks,omitempty"`

	Miss     *miss  `json:"miss,omitempty"`
	Stderr   bool   `json:"stderr,omitempty"`
	Replayed bool   `json:"replayed,omitempty"`
	Bytes    []byte `json:"bytes,omitempty"`
	Text     string `json:"text,omitempty"`
	Hint     string `json:"hint,omitempty"`

	N       int      `json:"n,omitempty"`
	Allowed int      `json:"allowed,omitempty"`
	Attempt *attempt `json:"attempt,omitempty"`

	Outcome   *outcome            `json:"outcome,omitempty"`
	Violation *messages.Violation `json:"violation,omitempty"`
	Counts    *messages.Counts    `json:"counts,omitempty"`

	Signal  string        `json:"signal,omitempty"`
	Running int           `json:"running,omitempty"`
	Took    time.Duration `json:"took,omitempty"`
	Grace   time.Duration `json:"grace,omitempty"`
	Force   bool          `json:"force,omitempty"`

	Code int `json:"code,omitempty"` // of the end
}

type miss struct {
	Reason string `json:"reason"`
	Detail string `json:"detail,omitempty"`
}

type attempt struct {
	ExitCode int           `json:"exit_code,omitempty"`
	Signal   int           `json:"signal,omitempty"`
	TimedOut time.Duration `json:"timed_out,omitempty"`
	Took     time.Duration `json:"took,omitempty"`
	Wait     time.Duration `json:"wait,omitempty"`
}

type outcome struct {
	Status    string              `json:"status"`
	Cause     string              `json:"cause,omitempty"`
	Root      string              `json:"root,omitempty"`
	Source    string              `json:"source,omitempty"`
	ExitCode  int                 `json:"exit_code,omitempty"`
	Signal    int                 `json:"signal,omitempty"`
	TimedOut  time.Duration       `json:"timed_out,omitempty"`
	Error     *messages.TaskError `json:"error,omitempty"`
	Failures  []attempt           `json:"failures,omitempty"`
	Allowed   int                 `json:"allowed,omitempty"`
	MadeOn    int                 `json:"made_on,omitempty"`
	Started   time.Time           `json:"started,omitzero"`
	Ended     time.Time           `json:"ended,omitzero"`
	Queued    time.Duration       `json:"queued,omitempty"`
	Spawned   int                 `json:"spawned,omitempty"`
	Restarted int                 `json:"restarted,omitempty"`
	Served    bool                `json:"served,omitempty"`
	Leftovers []messages.Leftover `json:"leftovers,omitempty"`
	Miss      *miss               `json:"miss,omitempty"`
}

// Ended is the last event of a conversation: the run, or the watch, is over, with that exit code.
type Ended struct{ Code int }

// Missed is told in the place of output that had to be forgotten before the visitor came, or got to it.
type Missed struct{ Bytes int }

// encode is an event as a line; "" for one of which nothing is told.
func encode(e any) (text []byte, err error) {
	l := line{}
	switch m := e.(type) {
	case Ended:
		l = line{Event: "end", Code: m.Code}
	case Missed:
		l = line{Event: "missed", N: m.Bytes}
	case messages.RunStarted:
		l = line{Event: "run-started", Run: m.Run, Tasks: names(m.Tasks), At: &m.At}
	case messages.TaskStarted:
		l = line{Event: "task-started", Task: m.Task.String(), At: &m.At, Miss: missOf(m.Miss)}
	case messages.TaskOutput:
		l = line{Event: "output", Task: m.Task.String(), Stderr: m.Stderr, Replayed: m.Replayed, Bytes: m.Bytes}
	case messages.TaskNoted:
		l = line{Event: "task-noted", Task: m.Task.String(), Text: m.Text, Hint: m.Hint}
	case messages.RunNoted:
		l = line{Event: "run-noted", Text: m.Text, Hint: m.Hint}
	case messages.AttemptFailed:
		a := attemptOf(m.Attempt)
		a.Wait = m.Wait
		l = line{Event: "attempt-failed", Task: m.Task.String(), N: m.N, Allowed: m.Allowed, Attempt: &a}
	case messages.ServiceStarted:
		l = line{Event: "service-started", Task: m.Task.String(), At: &m.At, N: m.Port, Took: m.Took}
	case messages.TaskRestarted:
		l = line{Event: "task-restarted", Task: m.Task.String()}
	case messages.TaskFinished:
		o := outcomeOf(m.Outcome)
		l = line{Event: "task-finished", Task: m.Outcome.Task.String(), Outcome: &o}
	case messages.ViolationFound:
		l = line{Event: "violation", Violation: &m.Violation}
	case messages.RunCancelling:
		l = line{Event: "cancelling", Signal: m.Signal, Running: m.Running, Grace: m.Grace, Force: m.Force, Tasks: names(m.GoOn)}
	case messages.RunFinished:
		l = line{Event: "run-finished", Counts: &m.Counts, At: &m.At}
	default:
		return nil, nil
	}
	text, err = json.Marshal(l)
	return append(text, '\n'), err
}

// decode is the event of a line; nil for one that this haz does not know.
func decode(text []byte) (any, error) {
	var l line
	if err := json.Unmarshal(text, &l); err != nil {
		return nil, fmt.Errorf("an event makes no sense: %w", err)
	}
	task, at := idOf(l.Task), timeOf(l.At)
	switch l.Event {
	case "end":
		return Ended{l.Code}, nil
	case "missed":
		return Missed{l.N}, nil
	case "run-started":
		return messages.RunStarted{Run: l.Run, Tasks: ids(l.Tasks), At: at}, nil
	case "task-started":
		return messages.TaskStarted{Task: task, At: at, Miss: l.Miss.of()}, nil
	case "output":
		return messages.TaskOutput{Task: task, Stderr: l.Stderr, Replayed: l.Replayed, Bytes: l.Bytes}, nil
	case "task-noted":
		return messages.TaskNoted{Task: task, Text: l.Text, Hint: l.Hint}, nil
	case "run-noted":
		return messages.RunNoted{Text: l.Text, Hint: l.Hint}, nil
	case "attempt-failed":
		if l.Attempt == nil {
			l.Attempt = &attempt{}
		}
		return messages.AttemptFailed{Task: task, N: l.N, Allowed: l.Allowed, Attempt: l.Attempt.of(), Wait: l.Attempt.Wait}, nil
	case "service-started":
		return messages.ServiceStarted{Task: task, Port: l.N, At: at, Took: l.Took}, nil
	case "task-restarted":
		return messages.TaskRestarted{Task: task}, nil
	case "task-finished":
		if l.Outcome == nil {
			l.Outcome = &outcome{}
		}
		return messages.TaskFinished{Outcome: l.Outcome.of(task)}, nil
	case "violation":
		if l.Violation == nil {
			l.Violation = &messages.Violation{}
		}
		return messages.ViolationFound{Violation: *l.Violation}, nil
	case "cancelling":
		return messages.RunCancelling{Signal: l.Signal, Running: l.Running, Grace: l.Grace, Force: l.Force, GoOn: ids(l.Tasks)}, nil
	case "run-finished":
		if l.Counts == nil {
			l.Counts = &messages.Counts{}
		}
		return messages.RunFinished{Counts: *l.Counts, At: at}, nil
	}
	return nil, nil
}

func names(tasks []workspace.TaskID) []string {
	var out []string
	for _, id := range tasks {
		out = append(out, id.String())
	}
	return out
}

func ids(names []string) []workspace.TaskID {
	var out []workspace.TaskID
	for _, n := range names {
		out = append(out, idOf(n))
	}
	return out
}

// idOf takes the name of a task apart: that of its project has no colon.
func idOf(name string) workspace.TaskID {
	p, t, _ := strings.Cut(name, ":")
	return workspace.TaskID{Project: p, Task: t}
}

func timeOf(at *time.Time) time.Time {
	if at == nil {
		return time.Time{}
	}
	return *at
}

func missOf(m *entry.Miss) *miss {
	if m == nil {
		return nil
	}
	return &miss{Reason: m.Reason.String(), Detail: m.Detail}
}

func (m *miss) of() *entry.Miss {
	if m == nil {
		return nil
	}
	e := &entry.Miss{Detail: m.Detail}
	e.Reason = named[entry.MissReason](m.Reason)
	if e.Detail == "" && e.Reason.String() != m.Reason {
		e.Detail = m.Reason
	}
	return e
}

func attemptOf(a messages.Attempt) attempt {
	return attempt{ExitCode: a.ExitCode, Signal: a.Signal, TimedOut: a.TimedOut, Took: a.Took}
}

func (a attempt) of() messages.Attempt {
	return messages.Attempt{ExitCode: a.ExitCode, Signal: a.Signal, TimedOut: a.TimedOut, Took: a.Took}
}

// named is the value of an enumeration that is spelled so; 0 for none. The numbers are no part of the protocol: they change from haz to haz.
func named[T interface {
	~uint8
	String() string
}](text string) T {
	for n := 1; n < 64 && text != ""; n++ {
		if v := T(n); spelled(v) == text {
			return v
		}
	}
	return 0
}

// spelled is the name of a value, also of one that has none.
func spelled(v fmt.Stringer) (s string) {
	defer func() { _ = recover() }()
	return v.String()
}

func outcomeOf(o messages.Outcome) outcome {
	w := outcome{Status: o.Status.String(), ExitCode: o.ExitCode, Signal: o.Signal, TimedOut: o.TimedOut, Error: o.Error, Allowed: o.Allowed, MadeOn: o.MadeOn,
		Started: o.Started, Ended: o.Ended, Queued: o.Queued, Spawned: o.Spawned, Restarted: o.Restarted, Served: o.Served, Leftovers: o.Leftovers, Miss: missOf(o.Miss)}
	if o.Cause != 0 {
		w.Cause = o.Cause.String()
	}
	if o.Root != (workspace.TaskID{}) {
		w.Root = o.Root.String()
	}
	if o.Source != 0 {
		w.Source = o.Source.String()
	}
	for _, f := range o.Failures {
		w.Failures = append(w.Failures, attemptOf(f))
	}
	return w
}

func (w outcome) of(task workspace.TaskID) messages.Outcome {
	o := messages.Outcome{Task: task, Status: named[messages.Status](w.Status), ExitCode: w.ExitCode, Signal: w.Signal, TimedOut: w.TimedOut, Error: w.Error, Allowed: w.Allowed, MadeOn: w.MadeOn,
		Started: w.Started, Ended: w.Ended, Queued: w.Queued, Spawned: w.Spawned, Restarted: w.Restarted, Served: w.Served, Leftovers: w.Leftovers, Miss: w.Miss.of()}
	if w.Cause != "" {
		o.Cause = named[messages.Cause](w.Cause)
	}
	if w.Root != "" {
		o.Root = idOf(w.Root)
	}
	if w.Source != "" {
		o.Source = named[messages.Source](w.Source)
	}
	for _, f := range w.Failures {
		o.Failures = append(o.Failures, f.of())
	}
	return o
}
