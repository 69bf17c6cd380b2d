package main

import (
	"fmt"
	"time"

	"github.com/haz-build/haz"
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
)

// How the process of a task is run, for people and machines: what is in no key.

type jsonAttempts struct {
	Timeout *int64 `json:"timeout_ms,omitempty"` // 0: none, whatever the run says
}

func attemptsJSON(t *haz.Task) (a jsonAttempts) {
	if t.Timeout != 0 {
		ms := max(0, t.Timeout).Milliseconds()
		a.Timeout = &ms
	}
	return a
}

// attemptsText is a line for each key that the task has.
func attemptsText(t *haz.Task) string {
	if t.Timeout == 0 {
		return ""
	}
	return fmt.Sprintf("timeout: %s\n", workspace.Period(max(0, t.Timeout)))
}

func readPeriod(text string) (time.Duration, error) {
	d, err := haz.ParsePeriod(text)
	if err != nil {
		err = fmt.Errorf("bad time %s: %w", diag.Quote(text), err)
	}
	return d, err
}
