package main

import (
	"fmt"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/haz-build/haz"
	"github.com/haz-build/haz/cmd/haz/attach"
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/report"
)

func psCommand() *command {
	return &command{Command: cli.Command{Name: "ps", Usage: "list runs of this workspace that are under way",
		Description: "Lists what other terminals run here: `haz run` and `haz watch`, oldest first, with how many tasks have ended well, run, wait and have failed. A run is listed when it is a moment old. See `haz attach`.",
		Flags:       []cli.Flag{formatOption("plain (default) or json", "plain", "json")},
		UsageText:   lines("haz ps", "haz ps --format json"),
	}, noArgs: true, argsHint: "haz attach PID shows one", do: doPs}
}

// underWay are the runs of the workspace, and the folder in which they are found; the caller closes that, if there is one.
func (v *invocation) underWay() (fsys.FS, []attach.Found, error) {
	if err := v.placed(); err != nil {
		return nil, nil, err
	}
	dir, err := haz.OpenLiveDir(v.ctx, v.dir, v.hostOptions()...)
	if err != nil || dir == nil {
		return nil, nil, err
	}
	return dir, attach.List(dir), nil
}

// doPs is `haz ps`.
func doPs(v *invocation) error {
	dir, found, err := v.underWay()
	if err != nil {
		return err
	}
	if dir != nil {
		defer dir.Close()
	}
	if v.value("format") == "json" {
		v.printJSON(runsJSON(found))
		return nil
	}
	if len(found) == 0 {
		v.tell("haz: no run is under way\n")
		return nil
	}
	width := 0
	if v.stdout.Terminal {
		width = v.stdout.Width()
	}
	v.out.Print(runsTable(found, time.Now(), width))
	return nil
}

// runsTable has a line for each run, no longer than width; 0: as long as it takes.
func runsTable(found []attach.Found, now time.Time, width int) string {
	rows := [][]string{{"PID", "SINCE", "KIND", "DONE", "RUNNING", "WAITING", "FAILED", "COMMAND"}}
	for _, f := range found {
		h, s := f.Hello, f.State
		rows = append(rows, []string{fmt.Sprint(h.PID), report.Duration(max(0, now.Sub(h.Since))), diag.Escape(h.Kind),
			fmt.Sprint(s.Done), fmt.Sprint(s.Running), fmt.Sprint(s.Waiting), fmt.Sprint(s.Failed), diag.Escape(strings.Join(h.Command, " "))})
	}
	table := aligned(rows)
	if width == 0 {
		return table
	}
	var cut strings.Builder
	for line := range strings.Lines(table) {
		if runes := []rune(strings.TrimSuffix(line, "\n")); len(runes) > width {
			line = string(runes[:width-1]) + "…\n"
		}
		cut.WriteString(line)
	}
	return cut.String()
}

func runsJSON(found []attach.Found) any {
	type tasks struct {
		Selected int `json:"selected"`
		Done     int `json:"done"`
		Running  int `json:"running"`
		Waiting  int `json:"waiting"`
		Failed   int `json:"failed"`
		Skipped  int `json:"skipped"`
	}
	type run struct {
		PID     int      `json:"pid"`
		Since   string   `json:"since"`
		Kind    string   `json:"kind"`
		Haz     string   `json:"haz"`
		Command []string `json:"command"`
		Run     string   `json:"run"`
		Tasks   tasks    `json:"tasks"`
	}
	doc := struct {
		Version int   `json:"version"`
		Runs    []run `json:"runs"`
	}{1, make([]run, len(found))}
	for i, f := range found {
		h, s := f.Hello, f.State
		doc.Runs[i] = run{h.PID, h.Since.UTC().Format(time.RFC3339Nano), h.Kind, h.Haz, append([]string{}, h.Command...), s.Run,
			tasks{s.Selected, s.Done, s.Running, s.Waiting, s.Failed, s.Skipped}}
	}
	return doc
}
