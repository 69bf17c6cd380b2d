package workspace

import (
	"slices"
	"strings"
)

// WithArguments is the task as a run carries it out that gives it arguments, as if it had been written with them (EXEC-063): behind those of
// a command; `"$@"` of a script, or behind its text where the task says `args: append`. Whether the script heeds them is for others to say.
// Without arguments it is the task itself.
func (t *Task) WithArguments(args []string) *Task {
	if len(args) == 0 {
		return t
	}
	with := *t
	with.Arguments = args
	switch {
	case t.Kind != Shell:
		with.Argv = slices.Concat(t.Argv, args)
	case t.AppendsArguments:
		with.Script = strings.TrimRight(t.Script, blanks) + behindScript(args)
	default:
		with.Script = beforeScript(args) + t.Script
	}
	return &with
}

// WithoutArguments is the script of a task without what WithArguments made of arguments, blanks at its end aside.
func WithoutArguments(script string, args []string) string {
	if body, ok := strings.CutPrefix(script, beforeScript(args)); ok {
		return strings.TrimRight(body, blanks)
	}
	return strings.TrimRight(strings.TrimSuffix(script, behindScript(args)), blanks)
}

const blanks = " \t\r\n"

// beforeScript stands on the first line of the script, so that the numbers of lines stay.
func beforeScript(args []string) string { return "set -- " + ShellWords(args) + "; " }

func behindScript(args []string) string { return " " + ShellWords(args) }

// ShellWords spells words for shells of the POSIX family, each in quotes.
func ShellWords(words []string) string {
	quoted := make([]string, len(words))
	for i, w := range words {
		quoted[i] = "'" + strings.ReplaceAll(w, "'", `'\''`) + "'"
	}
	return strings.Join(quoted, " ")
}
