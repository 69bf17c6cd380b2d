package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/urfave/cli/v2"

	"github.com/haz-build/haz"
	"github.com/haz-build/haz/cmd/haz/streams"
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/report"
)

func runCommand() *command {
	all, workspace := scopeOptions()
	return &command{Command: cli.Command{Name: "run", ArgsUsage: "[TASK...] [-- ARGUMENT...]", Usage: "run tasks and all they depend on",
		Description: paragraphs(
			"Runs the given tasks and everything they depend on. A task whose inputs, command and environment are as in an earlier run is not executed: its outputs and its printed text come back from the cache.",
			"Without TASK and without a selecting option the task `default` of this directory's project runs. With TASK, the options that say \"only\" and --affected choose among the given tasks; without it, among those of this directory's project, or of the workspace.",
			"A filter that nothing matches runs nothing. `haz run $(haz query ...)` would run the task `default` then.",
			"Words behind -- are arguments of the given tasks, not of those they depend on: a command gets them behind its own, a script as \"$@\".",
		),
		Flags: slices.Concat([]cli.Flag{all, workspace}, changeOptions(), filterOptions(), []cli.Flag{
			excludeOption(),
			toggle("failed", "the tasks that did not succeed in the last run"),
			toggle("dry-run", "print what would run, and run nothing"),
			formatOption("with --dry-run: plain (default) or json", "plain", "json"),
			choice("output-mode", "MODE", "output mode", "live: lines as they come, prefixed; buffered: each task's output in one piece when it ends; new-only: live, and nothing of what cached tasks printed", "live", "buffered", "new-only"),
			readBy(text("jobs", "N", "run at most N tasks at once; N% of the CPUs, or auto").short("j"), parseJobs),
			readBy(text("timeout", "TIME", "how long the process of a task may run that has no timeout of its own: 10m, 1m30s, 500ms; 0s: as long as it likes"), readPeriod),
			toggle("fail-fast", "start nothing more after the first failure"),
			toggle("keep-going", "after a failure go on with what does not depend on it (default)"),
			choice("cache", "MODE", "cache mode", "rw: read and write (default); ro: only read; wo: run everything and store; off: neither", "rw", "ro", "wo", "off"),
			toggle("force", "run everything and store the results: --cache=wo"),
			toggle("no-cache", "neither read nor write the cache: --cache=off"),
			toggle("ui", "show the run on the full screen of the terminal, with the log of each task, and keys to restart and cancel one"),
			toggle("no-ui", "show it line by line, whatever the workspace says"),
			text("summary", "FILE", "write a summary of the run to FILE as JSON").completedBy(files).checked(checkNotEmpty),
		}),
		UsageText: lines("haz run", "haz run build", "haz run lib:build app:test", "haz run --all --dry-run", "haz run --affected --base origin/main", "haz run --affected '^:test'", "haz run '@acme/*:test' --exclude '*:test-slow'", "haz run --filter 'name:test & tag:go'", "haz run --failed -v", "haz run web:test -- -t login"),
	}, completes: tasks, do: doRun, passes: true, exclusive: [][]string{
		{"all", "workspace"},
		{"git-changed", "git-staged", "git-changed-since", "affected", "failed"},
		{"failed", "all"}, {"failed", "workspace"},
		{"cache", "force", "no-cache"},
		{"fail-fast", "keep-going"}, {"ui", "no-ui"}, {"ui", "dry-run"},
	}, noRefs: []string{"all", "workspace", "failed"}, needs: [][2]string{{"base", "affected"}, {"format", "dry-run"}}}
}

// doRun is `haz run`.
func doRun(v *invocation) error {
	wanted, err := v.wanted()
	if err != nil {
		return err
	}
	if err := v.judgeExclude(wanted); err != nil {
		return err
	}
	w, err := v.open()
	if err != nil {
		return err
	}
	defer w.Close()
	if !v.has("quiet") {
		v.warn(w.W.Notes)
	}
	selected, err := v.selectTargets(w, wanted)
	if err != nil {
		return err
	}
	v.said(selected)
	if selected.Plan, err = w.WithArguments(selected.Plan, v.line.passed); err != nil {
		return err
	}
	if v.has("dry-run") {
		return v.dryRun(w, selected)
	}
	if len(selected.Plan.Tasks) == 0 {
		v.tell("haz: nothing to run (" + selected.Empty + ")\n")
	}
	if len(selected.Plan.Tasks) > 0 && v.wantsScreen(w) {
		s := v.openScreen(false)
		return v.execute(s.printer(v.presentation(w), true), w, selected.Plan)
	}
	return v.execute(report.New(v.presentation(w)), w, selected.Plan)
}

// judgeExclude refuses --exclude where nothing says from what: what is left of the task default is no run of anything that was asked for.
func (v *invocation) judgeExclude(s haz.Selection) error {
	if len(s.Exclude) == 0 || selects(s) || v.has("failed") {
		return nil
	}
	return v.line.errorf("option --exclude takes tasks away, and nothing says from which", "for all others: haz "+pathName(v.line.path)+" --workspace --exclude "+quoted(s.Exclude[0].String()))
}

// quoted is a word as it is typed in a shell.
func quoted(word string) string {
	if strings.ContainsAny(word, "*^~[]") {
		return "'" + word + "'"
	}
	return word
}

// selectTargets finds the targets of a run.
func (v *invocation) selectTargets(w *haz.Workspace, s haz.Selection) (*haz.Selected, error) {
	if v.has("failed") {
		ids, known, err := lastFailures(w)
		if err != nil {
			return nil, err
		}
		return v.selectFailed(w, s, ids, known)
	}
	return w.Select(v.ctx, s)
}

// dryRun prints the plan. The bytes of the plain form are frozen.
func (v *invocation) dryRun(w *haz.Workspace, s *haz.Selected) error {
	if v.value("format") == "json" {
		return v.dryRunJSON(w, s)
	}
	plan := s.Plan
	switch n := len(plan.Tasks); n {
	case 0:
		v.out.Print("would run 0 tasks.\n")
	case 1:
		v.out.Print("would run 1 task:\n")
	default:
		v.out.Print(fmt.Sprintf("would run %d tasks:\n", n))
	}
	for _, t := range plan.Tasks {
		v.out.Print("  - " + t.ID.String() + "\n")
	}
	if len(plan.Tasks) == 0 && s.Empty != "" {
		v.tell("haz: nothing to run (" + s.Empty + ")\n")
	}
	if len(plan.Tasks) == 0 || v.has("quiet") || !v.out.Flush() {
		return nil
	}
	predicted, err := w.Predict(v.ctx, plan)
	if err != nil {
		return err
	}
	if v.has("verbose") {
		for i, t := range plan.Tasks {
			v.tell(v.errs.Palette.Prefix(t.ID) + v.errs.Palette.Dim(fmt.Sprintf("%s, cache: %s", s.ReasonOf(t.Index), predicted[i])) + "\n")
		}
	}
	v.tell(costOf(plan, predicted))
	return nil
}

// namedInDryRun is how many tasks of one kind a dry run names; more are counted.
const namedInDryRun = 10

// costOf says what a run of the plan would have to do: which tasks the cache has, which it lacks, and of which that depends on
// what these come to.
func costOf(plan *haz.Plan, predicted []haz.Prediction) string {
	byKind := map[haz.Prediction][]string{}
	for i, t := range plan.Tasks {
		byKind[predicted[i]] = append(byKind[predicted[i]], t.ID.String())
	}
	text := fmt.Sprintf("haz: %d cached", len(byKind[haz.WouldHit]))
	for _, k := range []struct {
		p    haz.Prediction
		word string
	}{{haz.WouldMiss, "to be carried out"}, {haz.WouldSkip, "to be skipped"}, {haz.Unknown, "not known yet"}} {
		names := byKind[k.p]
		if len(names) == 0 {
			continue
		}
		text += fmt.Sprintf("; %d %s: %s", len(names), k.word, strings.Join(names[:min(len(names), namedInDryRun)], ", "))
		if more := len(names) - namedInDryRun; more > 0 {
			text += fmt.Sprintf(" and %d more", more)
		}
	}
	return text + "\n"
}

func (v *invocation) dryRunJSON(w *haz.Workspace, s *haz.Selected) error {
	type task struct {
		Project    string         `json:"project"`
		Task       string         `json:"task"`
		Tags       []string       `json:"tags"`
		Reason     haz.Reason     `json:"reason"`
		Prediction haz.Prediction `json:"prediction"`
	}
	doc := struct {
		Version int    `json:"version"`
		Tasks   []task `json:"tasks"`
	}{1, make([]task, len(s.Plan.Tasks))}
	predicted, err := w.Predict(v.ctx, s.Plan)
	if err != nil {
		return err
	}
	for i, t := range s.Plan.Tasks {
		doc.Tasks[i] = task{t.ID.Project, t.ID.Task, append([]string{}, t.Project.Tags...), s.ReasonOf(t.Index), predicted[i]}
	}
	v.printJSON(doc)
	return nil
}

// execute runs a plan, with everything that people and machines get to see of it.
func (v *invocation) execute(printer presenter, w *haz.Workspace, plan *haz.Plan) (err error) {
	ear := v.live
	if ear == nil {
		ear = v.newLive("run")
		defer func() { ear.close(codeOf(err)) }()
	}
	if p, ok := printer.(*viewed); ok {
		p.s.order.Store(&orders{ear.order})
	}
	o := haz.RunOptions{Fresh: v.fresh, FailFast: v.has("fail-fast"), Cache: v.cacheMode(), Explain: v.has("verbose"), Services: v.services}
	o.Timeout = read[time.Duration](v, "timeout")
	if n := read[jobs](v, "jobs"); n != (jobs{}) {
		o.Jobs = n.of(w)
	}
	v.lend(&o, printer)
	signals := watchSignals(v.patience, w.W.Settings.CancelGrace, v.pressed)
	defer signals.close()
	o.Signals = signals.interrupts
	o.Commands = ear.begin(w)
	o.Observer = func(e haz.Event) {
		signals.observe(e)
		if v.follow != nil {
			v.follow(e)
		}
		ear.log.Add(e)
		printer.Handle(e)
	}
	suspended := suspending.enter(printer, v.patience)
	defer suspending.leave()
	o.Suspend = suspended.wishes

	result, err := w.RunPlan(v.ctx, plan, o)
	ear.end()
	close(suspended.over)
	signals.end()
	if result == nil {
		printer.End(2, 0)
		return err
	}
	code := exitCode(result)
	if err != nil {
		text, _, _ := strings.Cut(err.Error(), "\n")
		if v.has("verbose") {
			text = err.Error()
		}
		printer.AtEnd(internalError(text))
	}
	if len(result.Outcomes) > 0 || v.has("summary") {
		code = v.record(w, printer, result, code)
	}
	patience := time.Duration(0)
	if result.Interrupt != nil {
		patience = time.Second // whatever reads our output may have been stopped
	}
	printer.End(code, patience)
	if cut := signals.cut(); cut != 0 {
		code = cut
	}
	if code != 0 {
		return exit(code)
	}
	return nil
}

// lend says what tasks have to know of our terminals, and lends ours to those that are interactive.
func (v *invocation) lend(o *haz.RunOptions, printer presenter) {
	o.Colour = v.styled(v.stdout).Palette.On
	if !v.stdout.Terminal {
		return
	}
	o.Columns = v.stdout.Width()
	if streams.IsTerminal(os.Stdin) {
		o.Terminal = &streams.Terminal{In: os.Stdin, Out: v.stdout.File, Quiet: func() (over func()) {
			show, back := printer.Hide(), streams.LendKeys()
			return func() {
				back()
				show()
			}
		}}
	}
}

// codeOf is the exit code of a command that ends so.
func codeOf(err error) int {
	var code exit
	switch {
	case err == nil:
		return 0
	case errors.As(err, &code):
		return int(code)
	}
	return 2
}

// exitCode is EXEC-021: a signal wins over failures.
func exitCode(r *haz.Result) int {
	switch {
	case r.Interrupt != nil:
		return 128 + r.Interrupt.Number
	case r.Crash != nil:
		return 2
	case r.Counts.Failed > 0 || len(r.Violations) > 0 || r.Counts.Cancelled > 0 && !r.Cancelled: // single tasks, by request
		return 1
	case r.Cancelled:
		return 2 // only a host's own context can do that, and ours never ends
	}
	return 0
}

func (v *invocation) cacheMode() haz.CacheMode {
	switch {
	case v.anew && (v.has("no-cache") || v.value("cache") == "off" || v.value("cache") == "ro"):
		return haz.Off
	case v.anew:
		return haz.WriteOnly
	case v.has("force"), v.value("cache") == "wo":
		return haz.WriteOnly
	case v.has("no-cache"), v.value("cache") == "off":
		return haz.Off
	case v.value("cache") == "ro":
		return haz.ReadOnly
	}
	return haz.ReadWrite
}

// presentation is how this run is to be shown.
func (v *invocation) presentation(w *haz.Workspace) report.Options {
	mode := v.value("output-mode")
	if mode == "" {
		mode = w.W.Settings.OutputMode
	}
	return v.shown(mode)
}

// shown is how events are to be shown, in a mode.
func (v *invocation) shown(mode string) report.Options {
	o := report.Options{
		Stdout: v.styled(v.stdout),
		Stderr: v.errs, OnePlace: streams.SameFile(v.stdout.File, v.stderr.File), Buffered: mode == "buffered", NewOnly: mode == "new-only", ASCII: !report.SpeaksUTF8(v.env),
		GitHub: v.env("GITHUB_ACTIONS") == "true", Azure: strings.EqualFold(v.env("TF_BUILD"), "true"), TeamCity: v.env("TEAMCITY_VERSION") != "", Spool: spool,
	}
	switch {
	case v.has("quiet"):
		o.Verbosity = report.Quiet
	case v.has("verbose"):
		o.Verbosity = report.Verbose
	}
	if v.stderr.Terminal && v.env("TERM") != "dumb" && v.env("CI") == "" && v.value("progress") != "off" && o.Verbosity != report.Quiet {
		o.Progress = &report.Progress{Width: v.stderr.Width}
	}
	return o
}

// spool makes a temporary file that has no name any more, so that nothing is left of it however haz ends.
func spool() (report.Spool, error) {
	f, err := fsys.Nameless("haz-output-")
	if err != nil {
		return nil, err
	}
	return f, nil
}

// jobs is how many tasks run at once: a number, a percentage of the CPUs, or what haz thinks best.
type jobs struct {
	n       int
	percent bool
	auto    bool
}

func (j jobs) of(machine interface {
	CPUs() int
	Slots() int
}) int {
	switch {
	case j.auto:
		return machine.Slots()
	case j.percent:
		return max(1, int(math.Ceil(float64(j.n)*float64(machine.CPUs())/100)))
	}
	return j.n
}

// parseJobs reads N, N% or auto.
func parseJobs(text string) (jobs, error) {
	if text == "auto" {
		return jobs{auto: true}, nil
	}
	number, percent := strings.CutSuffix(text, "%")
	n, err := strconv.ParseUint(number, 10, 31)
	if err != nil || n == 0 || number[0] == '+' {
		return jobs{}, &hinted{text: diag.Quote(text) + " is no number of tasks", hint: "a number from 1, a percentage of the CPUs like 50%, or auto"}
	}
	return jobs{n: int(n), percent: percent}, nil
}

func checkNotEmpty(text string) error {
	if text == "" {
		return &hinted{text: "the value is empty"}
	}
	return nil
}

// printJSON writes one value as one line.
func (v *invocation) printJSON(value any) {
	e := json.NewEncoder(v.out)
	e.SetEscapeHTML(false)
	if err := e.Encode(value); err != nil {
		panic(err) // strings, numbers and lists of them cannot fail
	}
}
