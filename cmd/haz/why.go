package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/haz-build/haz"
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/report"
	"github.com/haz-build/haz/workspace"
)

func whyCommand() *command {
	return &command{Command: cli.Command{Name: "why", ArgsUsage: "TASK [-- ARGUMENT...]", Usage: "explain a task: inputs, key, what the cache has",
		Description: paragraphs("Explains one task without running anything: its command, inputs, outputs, dependencies and environment, its cache key, and whether the cache has a result for it.",
			"Words behind -- are arguments, as in a run: with them the task has another key."),
		Flags: []cli.Flag{
			toggle("diff", "say what is different from the last run of the task"),
			toggle("key", "print nothing but the text whose digest the cache key is"),
			formatOption("plain (default) or json", "plain", "json"),
		},
		UsageText: lines("haz why lib:build", "haz why build --diff", "haz why build --key", "haz why test -- -t login"),
	}, completes: tasks, do: doWhy, passes: true, exclusive: [][]string{{"diff", "key"}, {"key", "format"}}}
}

// doWhy is `haz why`.
func doWhy(v *invocation) error {
	if n := len(v.refs()); n != 1 {
		return v.line.errorf(fmt.Sprintf("exactly one task is wanted, not %d", n), "")
	}
	refs, err := parseReferences(v, v.refs(), "could not resolve")
	if err != nil {
		return err
	}
	w, err := v.open()
	if err != nil {
		return err
	}
	defer w.Close()
	t, err := w.ResolveOne(refs[0])
	if err != nil {
		return v.whyResolve(w, refs[0].String(), err)
	}
	e, err := w.Why(v.ctx, t.Index, haz.WhyOptions{Diff: v.has("diff"), Key: v.has("key"), Arguments: v.line.passed})
	if err != nil {
		return err
	}
	switch {
	case v.has("key"):
		v.out.Print(e.Preimage)
	case v.value("format") == "json":
		v.printJSON(whyJSON(e))
	default:
		v.out.Print(whyText(e))
		if v.has("diff") {
			printDiff(v.out, e, time.Now())
		}
	}
	return whyProblem(e)
}

// whyResolve says why a reference does not name exactly one task.
func (v *invocation) whyResolve(w *haz.Workspace, typed string, err error) error {
	d := diag.Diagnostic{Message: "could not resolve " + diag.Quote(typed) + ": " + err.Error()}
	var several *haz.AmbiguousError
	var nothing *workspace.SelectError
	switch {
	case errors.As(err, &several):
		d.Message = fmt.Sprintf("%s resolves to %d tasks: %s", diag.Quote(typed), len(several.Tasks), someTasks(several.Tasks))
		d.Hint = "use a more specific form, such as " + several.Tasks[0].ID.String()
	case errors.As(err, &nothing):
		d.Code, d.Hint = nothing.Rule, v.asCommand(w.Hint(typed, err))
	}
	return &diag.Errors{List: diag.List{d}}
}

func someTasks(ts []*haz.Task) string {
	var ids []string
	for _, t := range ts {
		if len(ids) == 10 {
			ids = append(ids, "...")
			break
		}
		ids = append(ids, t.ID.String())
	}
	return strings.Join(ids, ", ")
}

// whyProblem is the error of a task whose key is not known; the report was printed all the same.
func whyProblem(e *haz.Explanation) error {
	switch {
	case e.Blocked != nil:
		b := e.Blocked
		d := diag.Diagnostic{Message: fmt.Sprintf("the key of %s is not known: predecessor `%s` has no usable result (%s)", e.Task.ID, b.Task, b.Lookup),
			Hint: "haz run " + b.Task.String()}
		switch {
		case b.Uncached:
			d.Hint = "haz run -v " + runWords(e.Task.ID, e.Task.Arguments) + " learns the key on its way"
		case b.KeyError != nil:
			d.Causes = []string{b.KeyError.Error()}
			if hint, ok := haz.IsKeyError(b.KeyError); ok && hint != "" {
				d.Hint = hint
			}
		}
		return &diag.Errors{List: diag.List{d}}
	case e.KeyError != nil:
		hint, _ := haz.IsKeyError(e.KeyError)
		return &diag.Errors{List: diag.List{{Message: "the key of " + e.Task.ID.String() + " cannot be derived: " + e.KeyError.Error(), Hint: hint}}}
	}
	return nil
}

// whyText is the report of AUX-015; labels, order and indentation are frozen.
func whyText(e *haz.Explanation) string {
	var b strings.Builder
	t := e.Task
	b.WriteString(t.ID.String() + "\n")
	b.WriteString(actionText(t) + "\n")
	if len(t.Arguments) > 0 {
		b.WriteString("arguments: " + wordList(t.Arguments) + "\n")
	}
	if t.Description != "" {
		b.WriteString("description: " + visible(strings.TrimSpace(t.Description)) + "\n")
	}
	if t.Internal {
		b.WriteString("internal: true\n")
	}
	section := func(label string, items []string) {
		if len(items) == 0 {
			return
		}
		b.WriteString(label + ":\n")
		for _, s := range items {
			b.WriteString("  " + s + "\n")
		}
	}
	var inputs, outputs []string
	for _, in := range e.Inputs {
		s := diag.Escape(in.Path)
		switch len(in.Producers) {
		case 0:
		case 1:
			s += " (produced by " + in.Producers[0].String() + ")"
		default:
			s += " (producer: undetermined)"
		}
		inputs = append(inputs, s)
	}
	for _, text := range texts(t.Outputs) {
		outputs = append(outputs, diag.Escape(text))
	}
	section("inputs", inputs)
	section("packages", lockTexts(e.Locks))
	section("outputs", outputs)
	for _, key := range relationKeys {
		section(key, relationTexts(e.Relations, key))
	}
	if m := mutexJSON(t); m != nil {
		fmt.Fprintf(&b, "mutex: scope=%s, name=%s, mode=%s\n", m.Scope, m.Name, m.Mode)
	}
	if t.Incremental {
		b.WriteString("incremental: true\n")
	}
	b.WriteString(attemptsText(t))
	section("env.from_host", sortedCopy(t.FromHost))
	section("env.pass", passText(e))
	section("env.files", envFiles(t))
	var override []string
	for _, name := range slices.Sorted(maps.Keys(t.Override)) {
		override = append(override, name+"="+diag.Escape(t.Override[name]))
	}
	section("env.override", override)
	if t.Strict {
		b.WriteString("env.strict: true\n")
	}
	if len(e.PassedByDefault) > 0 {
		b.WriteString("passed by default: " + strings.Join(e.PassedByDefault, ", ") + "\n")
	}
	section("tools", toolTexts(e.Tools))
	section("inherited", originTexts(t))
	fmt.Fprintf(&b, "cache_key: %s\ncache_lookup: %s\n", cmp.Or(e.Key, "unknown"), diag.Escape(e.Found()))
	if e.Stored != nil && e.Stored.Attempt > 1 {
		fmt.Fprintf(&b, "flaky: made on attempt %d\n", e.Stored.Attempt)
	}
	if e.OtherRun != nil {
		b.WriteString("last run: haz run " + runWords(t.ID, e.OtherRun.Arguments) + "\n")
	}
	return b.String()
}

// runWords is a task with the arguments of a run, as a shell reads them.
func runWords(id haz.TaskID, args []string) string {
	if len(args) == 0 {
		return id.String()
	}
	return diag.Escape(id.String() + " -- " + workspace.ShellWords(args))
}

// envFiles are the files of variables as they are written.
func envFiles(t *haz.Task) (files []string) {
	for _, f := range t.EnvFiles {
		files = append(files, diag.Escape(f.Text))
	}
	return files
}

// passText lists what env.pass says, and of PREFIX_* what it means here.
func passText(e *haz.Explanation) []string {
	items := sortedCopy(e.Task.Pass)
	for i, text := range items {
		if !strings.HasSuffix(text, "*") {
			continue
		}
		var names []string
		for _, name := range e.Passed {
			if workspace.PassText(text, name) {
				names = append(names, diag.Escape(name))
			}
		}
		items[i] += " (" + cmp.Or(strings.Join(names, ", "), "none is set") + ")"
	}
	return items
}

// toolTexts says of each tool what the key has of it, and where it was found.
// lockTexts say of lock files what of them counts.
func lockTexts(list []haz.ExplainedLock) []string {
	out := make([]string, len(list))
	for i, l := range list {
		known := fmt.Sprintf("%d reached, ", l.Packages)
		switch {
		case l.Digest == "":
			known = "there is no such file"
		case l.Whole:
			known = "all of it, "
		}
		out[i] = diag.Escape(l.File) + ": " + known + l.Digest[:min(8, len(l.Digest))]
	}
	return out
}

func toolTexts(list []haz.ExplainedTool) []string {
	out := make([]string, len(list))
	for i, t := range list {
		out[i] = diag.Escape(t.Name) + " " + t.Known
		if t.File != "" && t.File != t.Name {
			out[i] += " (" + diag.Escape(t.File) + ")"
		}
	}
	return out
}

// actionText is argv as a list of quoted strings, or the shell and its script as written.
func actionText(t *haz.Task) string {
	if t.Kind == workspace.Shell {
		return "shell (" + t.Shell + "): " + visible(t.Script)
	}
	return "command: " + wordList(t.Argv)
}

func wordList(texts []string) string {
	words := make([]string, len(texts))
	for i, a := range texts {
		words[i] = diag.Quote(a)
	}
	return "[" + strings.Join(words, ", ") + "]"
}

// visible keeps the lines and tabs of a script and escapes what else could disturb a terminal.
func visible(script string) string {
	lines := strings.Split(script, "\n")
	for i, l := range lines {
		cells := strings.Split(l, "\t")
		for j := range cells {
			cells[j] = diag.Escape(cells[j])
		}
		lines[i] = strings.Join(cells, "\t")
	}
	return strings.Join(lines, "\n")
}

func ids(list []haz.TaskID) []string {
	out := make([]string, len(list))
	for i, id := range list {
		out[i] = id.String()
	}
	return out
}

func sortedCopy(s []string) []string {
	out := append([]string{}, s...)
	slices.Sort(out)
	return out
}

// printDiff says what is new in the key since the last run that derived it, and of a hit who stored it.
func printDiff(w io.Writer, e *haz.Explanation, now time.Time) {
	ago := func(unix int64) string { return report.Ago(now.Sub(time.Unix(unix, 0))) + " ago" }
	fmt.Fprintln(w)
	switch {
	case e.Key == "":
		fmt.Fprintln(w, "no differences can be told: the key is not known.")
	case e.Last == nil:
		fmt.Fprintln(w, "no earlier key of this task is recorded.")
	case len(e.Diffs) == 0:
		fmt.Fprintf(w, "key unchanged since run %s (%s).\n", e.Last.Run, ago(e.Last.Unix))
	default:
		fmt.Fprintf(w, "key changed since run %s (%s):\n", e.Last.Run, ago(e.Last.Unix))
		printDiffLines(w, e.Diffs)
	}
	for _, u := range e.Upstreams {
		fmt.Fprintf(w, "upstream %s, key changed since run %s (%s):\n", u.Task, u.Last.Run, ago(u.Last.Unix))
		printDiffLines(w, u.Diffs)
	}
	if e.Stored != nil {
		fmt.Fprintf(w, "the entry was stored by %s (%s).\n", diag.Escape(e.Stored.Task), ago(e.Stored.Unix))
	}
}

func printDiffLines(w io.Writer, diffs []haz.Difference) {
	width := 0
	for _, d := range diffs {
		width = max(width, len([]rune(diag.Escape(d.Name))))
	}
	width = min(width, 40)
	for _, d := range diffs {
		line := fmt.Sprintf("  %c %-9s %-*s %s", d.Sign, d.Kind, width, diag.Escape(d.Name), diag.Escape(d.Detail))
		fmt.Fprintln(w, strings.TrimRight(line, " "))
	}
}
