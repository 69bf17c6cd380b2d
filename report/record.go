package report

import (
	"bytes"
	"encoding/json"
	"time"

	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/workspace"
)

// Record is a run for machines (chapter 3, 4.6). Names and types of the fields are fixed.
type Record struct {
	Version    int               `json:"version"`
	Haz        string            `json:"haz"`
	Run        string            `json:"run"`
	Workspace  string            `json:"workspace"`
	Args       []string          `json:"args"`
	StartedAt  string            `json:"started_at"`
	DurationMS int64             `json:"duration_ms"`
	ExitCode   int               `json:"exit_code"`
	Signal     *string           `json:"signal"`
	Counts     RecordCounts      `json:"counts"`
	Tasks      []RecordTask      `json:"tasks"`
	Violations []RecordViolation `json:"violations"`
}

// RecordCounts are the counts of a run.
type RecordCounts struct {
	Selected  int `json:"selected"`
	Completed int `json:"completed"`
	Cached    int `json:"cached"`
	Failed    int `json:"failed"`
	Skipped   int `json:"skipped"`
	Cancelled int `json:"cancelled"`
	Flaky     int `json:"flaky"`    // part of completed: those that this run had to try more than once
	LeftOut   int `json:"left_out"` // part of skipped: those whose condition does not hold, and finalizers that were not needed
}

// RecordTask is one task of a run. ExitCode is that of the process, 0 for a hit, null where nothing ended with a code;
// Signal is the number of the signal that ended it. Flaky: the result was made on a later attempt than the first, by this run or by the
// one that stored it. TimeoutMS is the timeout that its process had run out of.
type RecordTask struct {
	Project    string   `json:"project"`
	Task       string   `json:"task"`
	Outcome    string   `json:"outcome"`
	Source     *string  `json:"source"`
	ExitCode   *int     `json:"exit_code"`
	Signal     *int     `json:"signal"`
	DurationMS int64    `json:"duration_ms"`
	CacheKey   *string  `json:"cache_key"`
	Miss       *string  `json:"miss"`
	Cause      *string  `json:"cause"`
	Error      *string  `json:"error"`
	Outputs    []string `json:"outputs"`
	TimeoutMS  *int64   `json:"timeout_ms"`

	Flaky          bool            `json:"flaky"`
	FailedAttempts []RecordAttempt `json:"failed_attempts"`

	// Reason says in two or three words why a task was skipped, cancelled, or as a service stopped; ErrorKind is the kind of an error.
	Reason    *string `json:"reason"`
	ErrorKind *string `json:"error_kind"`
}

// RecordAttempt is an attempt that failed and was followed by another one.
type RecordAttempt struct {
	ExitCode   *int   `json:"exit_code"`
	Signal     *int   `json:"signal"`
	TimeoutMS  *int64 `json:"timeout_ms"`
	DurationMS int64  `json:"duration_ms"`
}

// RecordViolation is one broken runtime invariant.
type RecordViolation struct {
	Kind  string   `json:"kind"`
	Tasks []string `json:"tasks"`
	Path  *string  `json:"path"`
}

// RecordInput is what a Record is made from.
type RecordInput struct {
	Haz, Run, Workspace string
	Args                []string
	Started, Ended      time.Time
	ExitCode            int
	Signal              string // "" for none
	Counts              messages.Counts
	Outcomes            []messages.Outcome // canonical order
	Violations          []messages.Violation
}

// NewRecord makes the record of a run.
func NewRecord(in RecordInput) *Record {
	r := &Record{Version: 1, Haz: in.Haz, Run: in.Run, Workspace: in.Workspace, Args: append([]string{}, in.Args...),
		StartedAt: in.Started.UTC().Format(time.RFC3339Nano), DurationMS: max(0, in.Ended.Sub(in.Started).Milliseconds()),
		ExitCode: in.ExitCode, Signal: some(in.Signal),
		Counts: RecordCounts(in.Counts),
		Tasks:  make([]RecordTask, len(in.Outcomes)), Violations: make([]RecordViolation, len(in.Violations))}
	for i, o := range in.Outcomes {
		r.Tasks[i] = recordTask(o)
	}
	for i, v := range in.Violations {
		rv := RecordViolation{Kind: string(v.Kind), Path: some(v.Path), Tasks: make([]string, len(v.Tasks))}
		for j, t := range v.Tasks {
			rv.Tasks[j] = t.String()
		}
		r.Violations[i] = rv
	}
	return r
}

func recordTask(o messages.Outcome) RecordTask {
	t := RecordTask{Project: o.Task.Project, Task: o.Task.Task, Outcome: OutcomeWord(o), DurationMS: max(0, o.Took().Milliseconds()),
		Outputs: make([]string, len(o.Outputs)), Flaky: o.Flaky(), FailedAttempts: make([]RecordAttempt, len(o.Failures))}
	for i, a := range o.Failures {
		r := RecordAttempt{DurationMS: max(0, a.Took.Milliseconds())}
		r.ExitCode, r.Signal, r.TimeoutMS = howItFailed(a)
		t.FailedAttempts[i] = r
	}
	for i, out := range o.Outputs {
		t.Outputs[i] = out.Path
	}
	if o.HasKey {
		t.CacheKey = some(o.Key.Hex())
	}
	if o.Miss != nil {
		t.Miss = some(o.Miss.Reason.String())
	}
	switch {
	case o.Served:
		t.Reason = some("served")
	case o.Status == messages.Skipped || o.Status == messages.Cancelled:
		t.Reason = some(o.Cause.String())
	}
	if o.Error != nil {
		t.ErrorKind = some(string(o.Error.Kind))
	}
	if o.Root != (workspace.TaskID{}) {
		t.Cause = some(o.Root.String())
	}
	switch {
	case o.Status == messages.Completed:
		t.ExitCode = new(int)
		t.Source = some(map[messages.Source]string{messages.FromRun: "fresh", messages.FromCache: "cache"}[o.Source])
	case o.Error != nil:
		t.Error = some(o.Error.Reason)
	case o.Status == messages.Failed:
		t.ExitCode, t.Signal, t.TimeoutMS = howItFailed(messages.Attempt{ExitCode: o.ExitCode, Signal: o.Signal, TimedOut: o.TimedOut})
	}
	return t
}

// howItFailed is one of the three.
func howItFailed(a messages.Attempt) (exitCode, signal *int, timeoutMS *int64) {
	switch {
	case a.TimedOut > 0:
		ms := a.TimedOut.Milliseconds()
		return nil, nil, &ms
	case a.Signal != 0:
		return nil, &a.Signal, nil
	}
	return &a.ExitCode, nil, nil
}

// OutcomeWord is the word for an outcome: succeeded, failed, errored, skipped, cancelled.
func OutcomeWord(o messages.Outcome) string {
	switch {
	case o.Status == messages.Completed:
		return "succeeded"
	case o.Status == messages.Failed && o.Error != nil:
		return "errored"
	case o.Status == messages.Failed:
		return "failed"
	case o.Status == messages.Skipped:
		return "skipped"
	}
	return "cancelled"
}

func some(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

// Encode writes the record as one JSON object with a final newline, on one line where indent is empty: indenting takes as long
// as all the rest.
func (r *Record) Encode(indent string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", indent)
	if err := e.Encode(r); err != nil {
		panic(err) // strings, numbers and lists of them cannot fail
	}
	return b.Bytes()
}
