package main

import (
	"errors"
	"fmt"

	"github.com/haz-build/haz"
	"github.com/haz-build/haz/cmd/haz/early"
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/report"
)

// record keeps the summary of the run, and writes it where --summary says. It returns the exit code: a summary that was asked
// for and cannot be written makes a successful run 2.
func (v *invocation) record(w *haz.Workspace, printer presenter, r *haz.Result, code int) int {
	in := report.RecordInput{Haz: early.Version(), Run: r.Run, Workspace: w.W.Root, Args: v.args, Started: r.Started, Ended: r.Ended,
		ExitCode: code, Counts: r.Counts, Outcomes: r.Outcomes, Violations: r.Violations}
	if r.Interrupt != nil {
		in.Signal = r.Interrupt.Name
	}
	rec := report.NewRecord(in)
	warn := func(what string, err error, hint string) {
		printer.AtEnd(diag.List{{Severity: diag.Warning, Command: "run", Message: what + ": " + err.Error(), Hint: hint}}.Render(v.errs.Palette.Style()))
	}
	if v.fresh != nil {
		return code
	}
	if err := keep(w, r, rec); err != nil {
		hint := ""
		var kept *haz.NotKeptError
		if errors.As(err, &kept) {
			hint = kept.Hint
		}
		warn("this run is not recorded, so --failed will not know it", err, hint)
	}
	if file := v.value("summary"); file != "" {
		if err := fsys.WriteOutput(file, rec.Encode("  ")); err != nil {
			warn("the summary cannot be written", err, "")
			if code == 0 {
				code = 2
			}
		}
	}
	return code
}

// keep keeps the record of a run, but of one that found all in the cache, after one that was good as well: --failed reads the same
// from the one before, and what that one did is worth more than that this one did nothing.
func keep(w *haz.Workspace, r *haz.Result, rec *report.Record) error {
	good := r.Counts.Completed+r.Counts.LeftOut == len(r.Outcomes) && len(r.Violations) == 0
	switch {
	case len(r.Outcomes) == 0:
		return nil
	case !good:
		return w.KeepRun(r.Run, r.Started, rec.Encode(""))
	case r.Counts.Cached == r.Counts.Completed && w.LastRunGood():
		return nil
	}
	return w.KeepGoodRun(r.Run, r.Started, rec.Encode(""))
}

// lastFailures are the tasks that did not succeed in the last run of the workspace.
func lastFailures(w *haz.Workspace) (ids []haz.TaskID, known bool, err error) {
	f, err := w.LastRun()
	if err != nil || f == nil {
		return nil, false, err
	}
	defer f.Close()
	if ids, err = report.ReadUnfinished(f); err != nil {
		return nil, false, fmt.Errorf("the record of the last run cannot be read: %w", err)
	}
	return ids, true, nil
}

// selectFailed finds those of the tasks that are still there; known says whether there was a run in which they can have failed.
func (v *invocation) selectFailed(w *haz.Workspace, s haz.Selection, ids []haz.TaskID, known bool) (*haz.Selected, error) {
	s.Only = append([]haz.TaskID{}, ids...)
	selected, err := w.Select(v.ctx, s)
	if err == nil && !known {
		selected.Empty = "no earlier run is recorded"
	}
	return selected, err
}
