package main

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/haz-build/haz"
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
)

// How the process of a task is run, for people and machines.

type jsonAttempts struct {
	Timeout     *int64     `json:"timeout_ms,omitempty"` // 0: none, whatever the run says
	Retry       *jsonRetry `json:"retry,omitempty"`
	If          *jsonIf    `json:"if,omitempty"`
	Interactive bool       `json:"interactive,omitempty"`
	TTY         bool       `json:"tty,omitempty"`
}

type jsonIf struct {
	OS     string `json:"os,omitempty"`
	Env    string `json:"env,omitempty"`
	Exists string `json:"exists,omitempty"`
}

type jsonRetry struct {
	Times  int      `json:"times"`
	On     []string `json:"on"` // empty: any failure of the process
	Delay  int64    `json:"delay_ms"`
	Factor float64  `json:"factor"`
}

func attemptsJSON(t *haz.Task) (a jsonAttempts) {
	a.Interactive, a.TTY = t.Interactive, t.TTY
	if t.Timeout != 0 {
		ms := max(0, t.Timeout).Milliseconds()
		a.Timeout = &ms
	}
	if r := t.Retry; r.Times > 0 {
		a.Retry = &jsonRetry{r.Times, retryOn(r), r.Delay.Milliseconds(), max(1, r.Factor)}
	}
	if t.If != (workspace.Condition{}) {
		a.If = &jsonIf{t.If.OS, t.If.Env, t.If.Exists}
	}
	return a
}

// attemptsText is a line for each key that the task has.
func attemptsText(t *haz.Task) string {
	text, conditions := "", []string{}
	for _, c := range [][2]string{{"os", t.If.OS}, {"env", t.If.Env}, {"exists", t.If.Exists}} {
		if c[1] != "" {
			conditions = append(conditions, c[0]+"="+diag.Escape(c[1]))
		}
	}
	if len(conditions) > 0 {
		text = "if: " + strings.Join(conditions, ", ") + "\n"
	}
	if t.Service != nil {
		text += "service: " + serviceText(t.Service) + "\n"
	} else if t.Timeout != 0 {
		text += fmt.Sprintf("timeout: %s\n", workspace.Period(max(0, t.Timeout)))
	}
	if r := t.Retry; r.Times > 0 {
		text += fmt.Sprintf("retry: times=%d", r.Times)
		if r.On != nil {
			text += ", on=" + strings.Join(retryOn(r), "|")
		}
		if r.Delay > 0 {
			text += fmt.Sprintf(", delay=%s, factor=%v", workspace.Period(r.Delay), max(1, r.Factor))
		}
		text += "\n"
	}
	if t.Interactive {
		text += "interactive: true\n"
	}
	if t.TTY {
		text += "tty: true\n"
	}
	return text
}

// retryOn is after which failures a task is tried again, words first; empty: after any.
func retryOn(r workspace.Retry) []string {
	on := []string{}
	if r.On == nil {
		return on
	}
	if r.On.Timeout {
		on = append(on, "timeout")
	}
	if r.On.Signal {
		on = append(on, "signal")
	}
	for _, code := range slices.Sorted(slices.Values(r.On.Codes)) {
		on = append(on, fmt.Sprint(code))
	}
	return on
}

func readPeriod(text string) (time.Duration, error) {
	d, err := haz.ParsePeriod(text)
	if err != nil {
		err = fmt.Errorf("bad time %s: %w", diag.Quote(text), err)
	}
	return d, err
}

// serviceText says when a service is ready, and where it listens.
func serviceText(s *workspace.Service) string {
	var ready string
	switch r := s.Ready; {
	case r.URL != "":
		ready = "when " + diag.Escape(r.URL) + " answers"
	case r.Output != "":
		ready = "when it prints " + diag.Quote(r.Output)
	case r.Command != nil:
		ready = "when " + diag.Escape(strings.Join(r.Command, " ")) + " ends with 0"
	case r.File != "":
		ready = "when " + diag.Escape(r.File) + " is there"
	default:
		ready = "when something listens there"
	}
	switch {
	case s.AutoPort:
		return "port auto, ready " + ready
	case s.Port != 0:
		return fmt.Sprintf("port %d, ready %s", s.Port, ready)
	}
	return "ready " + ready
}
