package main

import (
	"fmt"
	"time"

	"github.com/haz-build/haz"
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
)

// How the process of a task is run, for people and machines.

type jsonAttempts struct {
	Timeout     *int64 `json:"timeout_ms,omitempty"` // 0: none, whatever the run says
	Interactive bool   `json:"interactive,omitempty"`
	TTY         bool   `json:"tty,omitempty"`
}

func attemptsJSON(t *haz.Task) (a jsonAttempts) {
	a.Interactive, a.TTY = t.Interactive, t.TTY
	if t.Timeout != 0 {
		ms := max(0, t.Timeout).Milliseconds()
		a.Timeout = &ms
	}
	return a
}

// attemptsText is a line for each key that the task has.
func attemptsText(t *haz.Task) string {
	text := ""
	if t.Timeout != 0 {
		text += fmt.Sprintf("timeout: %s\n", workspace.Period(max(0, t.Timeout)))
	}
	if t.Interactive {
		text += "interactive: true\n"
	}
	if t.TTY {
		text += "tty: true\n"
	}
	return text
}

func readPeriod(text string) (time.Duration, error) {
	d, err := haz.ParsePeriod(text)
	if err != nil {
		err = fmt.Errorf("bad time %s: %w", diag.Quote(text), err)
	}
	return d, err
}
