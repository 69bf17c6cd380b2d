package haz

import (
	"slices"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/script"
)

// WithArguments is a plan in which the targets have arguments (workspace.Task.WithArguments). So they are in the keys of the targets, and of what
// stands behind these in the plan, and in no other. The error names each target whose script would not heed them. The plan given is not
// changed; both are plans of this workspace.
func (w *Workspace) WithArguments(plan *Plan, args []string) (*Plan, error) {
	if err := w.planned(plan); err != nil {
		return nil, err
	}
	if len(args) == 0 {
		return plan, nil
	}
	with := *plan
	with.Tasks = slices.Clone(plan.Tasks)
	var list diag.List
	for i, t := range plan.Tasks {
		if !plan.Target[i] {
			continue
		}
		if d := deaf(t); d != nil {
			list = append(list, *d)
		}
		with.Tasks[i] = t.WithArguments(args)
	}
	return &with, list.Err()
}

// TakesArguments reports whether a task would heed arguments of a run.
func TakesArguments(t *Task) bool { return deaf(t) == nil }

// deaf says why a task would not heed arguments; nil when it does.
func deaf(t *workspace.Task) *diag.Diagnostic {
	d := &diag.Diagnostic{Severity: diag.Error, Code: "EXEC-063", Place: t.Place, Project: t.SharedIn(), Message: "task " + diag.Quote(t.ID.String()) + " takes no arguments: "}
	switch {
	case t.Kind != workspace.Shell:
		return nil
	case !t.Posix():
		d.Message += "how its shell, " + t.Shell + ", would get them is not known"
		d.Hint = "write it as a command, or for a shell like sh"
	case t.AppendsArguments:
		if script.Appendable(t.Shell, t.Script) {
			return nil
		}
		d.Code = "EXEC-068"
		d.Message += "its script does not end with the words of a command, and args: append puts them there"
		d.Hint = `end the script with that command, without ; or a comment behind it, or write "$@" where they belong and remove args`
	default:
		o := script.Read(t.Shell, t.Script)
		if o.Arguments || !o.Parsed {
			return nil
		}
		d.Message += `its script never uses "$@"`
		d.Hint = `write "$@" where they belong, or args: append if that is behind the last word`
	}
	return d
}
