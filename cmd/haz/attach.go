package main

import (
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/haz-build/haz"
	"github.com/haz-build/haz/cmd/haz/attach"
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/report"
)

func attachCommand() *command {
	actions := []string{"cancel", "restart", "rerun", "jobs"}
	return &command{Command: cli.Command{Name: "attach", ArgsUsage: "[PID]", Usage: "follow a run of another terminal, or have it do something",
		Description: paragraphs(
			"Shows what a run of this workspace has done since its beginning, and what it does, as in its own terminal, until it ends: with its exit code. Ctrl+C leaves it alone. PID, as `haz ps` has it, says which run, where there are several.",
			"With an option it says one thing to the run, and what became of it. TASK may be a whole name, or that of the task alone where the run has one of that name. A task that was cancelled makes the run fail; one that is started again does not.",
		),
		Flags: []cli.Flag{
			text("cancel", "TASK", "end a task, with all that needs it; the rest goes on").checked(checkNotEmpty),
			text("restart", "TASK", "end the process of a task that executes, and start another one").checked(checkNotEmpty),
			text("rerun", "TASK", "of a watch: run a task once more, whatever the cache has").checked(checkNotEmpty),
			readBy(text("jobs", "N", "have N tasks run at once from now on; none is stopped for it").short("j"), readJobs),
		},
		UsageText: lines("haz attach", "haz attach 4711", "haz attach --restart web:serve", "haz attach -j 2"),
	}, do: doAttach, exclusive: [][]string{actions}}
}

// readJobs is how many tasks another run is to run at once: its machine is this one, and it may be any number.
func readJobs(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	if err != nil || n == 0 {
		return 0, &hinted{text: diag.Quote(text) + " is no number of tasks", hint: "a number from 1"}
	}
	return int(n), nil
}

// doAttach is `haz attach`.
func doAttach(v *invocation) error {
	dir, found, err := v.underWay()
	if err != nil {
		return err
	}
	if dir != nil {
		defer dir.Close()
	}
	f, err := v.meantRun(found)
	if err != nil {
		return err
	}
	visit, err := f.Open(dir)
	if err != nil {
		return attachError(err)
	}
	defer visit.Close()
	if r, asked := v.request(); asked {
		return v.ask(visit, r)
	}
	return v.followRun(visit)
}

// meantRun is the run that the line is about.
func (v *invocation) meantRun(found []attach.Found) (attach.Found, error) {
	words := v.refs()
	if len(words) > 1 {
		return attach.Found{}, misuse("attach", "one run at a time", "haz attach "+diag.Escape(words[0]))
	}
	if len(words) == 1 {
		for _, f := range found {
			if strconv.Itoa(f.Hello.PID) == words[0] {
				return f, nil
			}
		}
		hint := "haz ps shows what is under way"
		if _, err := strconv.Atoi(words[0]); err != nil {
			hint = "a run is named by its number, which haz ps shows; a task by an option: --cancel, --restart, --rerun"
		}
		return attach.Found{}, &hinted{text: "no run " + diag.Quote(words[0]) + " of this workspace is under way", hint: hint}
	}
	switch len(found) {
	case 0:
		return attach.Found{}, &hinted{text: "no run of this workspace is under way", hint: "haz run and haz watch start one; it can be found when it is a moment old"}
	case 1:
		return found[0], nil
	}
	var list []string
	for _, f := range found[:min(5, len(found))] {
		list = append(list, fmt.Sprintf("%d (%s)", f.Hello.PID, diag.Escape(strings.Join(f.Hello.Command, " "))))
	}
	return attach.Found{}, &hinted{text: fmt.Sprintf("%d runs of this workspace are under way", len(found)), hint: "haz attach PID: " + strings.Join(list, ", ")}
}

// request is what the options ask for.
func (v *invocation) request() (attach.Request, bool) {
	for _, do := range []string{attach.Cancel, attach.Restart, attach.Rerun} {
		if v.has(do) {
			return attach.Request{Do: do, Task: v.value(do)}, true
		}
	}
	if v.has(attach.Jobs) {
		return attach.Request{Do: attach.Jobs, Jobs: read[int](v, attach.Jobs)}, true
	}
	return attach.Request{}, false
}

// ask has the run do one thing. One that is refused makes this command 1, a task that there is not 2.
func (v *invocation) ask(visit *attach.Visit, r attach.Request) error {
	a, err := visit.Ask(r)
	if err != nil {
		return attachError(err)
	}
	if a.Refused != "" {
		refused := &hinted{text: a.Refused, hint: a.Hint}
		if a.Unknown {
			return refused
		}
		v.warn(diagnose(refused, "attach"))
		return exit(1)
	}
	v.out.Print(map[string]string{attach.Cancel: "cancelled " + a.Task, attach.Restart: "restarting " + a.Task, attach.Rerun: "running " + a.Task + " again",
		attach.Jobs: fmt.Sprintf("up to %d tasks at once", r.Jobs)}[r.Do] + "\n")
	return nil
}

// attachError says why there is no conversation.
func attachError(err error) error {
	var other *attach.ProtocolError
	if errors.As(err, &other) {
		return &hinted{text: other.Error(), hint: "attach with the haz that runs there"}
	}
	return fmt.Errorf("the run does not answer any more: %w", err)
}

// followRun shows a run until it ends.
func (v *invocation) followRun(visit *attach.Visit) error {
	signals := watchSignals(nil, 0, nil)
	defer signals.close()
	type end struct {
		code int
		err  error
	}
	ended := make(chan end, 1)
	shown := &following{v: v, many: visit.Kind() == "watch"}
	go func() {
		code, err := visit.Follow(shown.show)
		ended <- end{code, err}
	}()
	select {
	case i := <-signals.interrupts:
		return exit(128 + i.Number)
	case e := <-ended:
		shown.end(e.code)
		if e.err != nil {
			return attachError(e.err)
		}
		if e.code != 0 {
			return exit(e.code)
		}
		return nil
	}
}

// following shows a run, or those of a watch one after the other.
type following struct {
	v       *invocation
	many    bool // runs, each with its end
	printer *report.Printer
}

func (f *following) show(event any) {
	switch e := event.(type) {
	case haz.RunStarted:
		f.end(0)
		f.printer = report.New(f.v.shown("stream"))
		f.printer.Handle(e)
	case haz.RunFinished:
		if f.printer != nil {
			f.printer.Handle(e)
		}
		if f.many {
			f.end(0)
		}
	case attach.Missed:
		f.v.tell(fmt.Sprintf("haz: note: %d bytes of earlier output are not kept\n", e.Bytes))
	case haz.Event:
		if f.printer != nil {
			f.printer.Handle(e)
		}
	}
}

// end shows what a run has come to.
func (f *following) end(code int) {
	if f.printer != nil {
		f.printer.End(code, 0)
		f.printer = nil
	}
}
