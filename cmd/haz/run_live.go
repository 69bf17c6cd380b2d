package main

import (
	"errors"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/haz-build/haz"
	"github.com/haz-build/haz/cmd/haz/attach"
	"github.com/haz-build/haz/cmd/haz/early"
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
)

// A run listens for other terminals once it is worth coming: after listenAfter, if a task is at work, else after listenAtLast. One with nothing to do has ended by then.
const (
	listenAfter  = 100 * time.Millisecond
	listenAtLast = time.Second
)

// live is what other terminals have of a run, or of a watch: its log, and an ear.
type live struct {
	hello  attach.Hello
	log    *attach.Log
	reruns chan haz.TaskID // of a watch

	mu       sync.Mutex
	all      []haz.TaskID   // that may be run again
	w        *haz.Workspace // while a run is under way
	commands chan haz.Command
	over     chan struct{} // closed with its end
	timer    *time.Timer
	dir      fsys.FS
	server   *attach.Server
	deaf     bool // there can be no ear
}

func (v *invocation) newLive(kind string) *live {
	return &live{hello: attach.Hello{Haz: early.Version(), PID: os.Getpid(), Kind: kind, Command: append([]string{"haz"}, v.args...), Since: time.Now()}, log: attach.NewLog()}
}

// begin begins a run, and returns where what it is asked for comes from.
func (l *live) begin(w *haz.Workspace) <-chan haz.Command {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.w, l.commands, l.over = w, make(chan haz.Command, 8), make(chan struct{})
	switch {
	case l.server != nil || l.deaf:
	case l.reruns != nil: // a watch stays
		l.listen()
	default:
		l.timer = time.AfterFunc(listenAfter, l.tick)
	}
	return l.commands
}

// tick begins to listen, or waits on.
func (l *live) tick() {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case l.w == nil || l.server != nil || l.deaf:
	case l.log.State().Running > 0 || time.Since(l.hello.Since) >= listenAtLast:
		l.listen()
	default:
		l.timer.Reset(listenAfter)
	}
}

// listen makes the ear. A run goes on without one: where nothing can be written, or the system has no such thing, nobody can come. The caller holds mu.
func (l *live) listen() {
	l.deaf = true
	dir, err := l.w.MakeLiveDir()
	if err != nil {
		return
	}
	server, err := attach.Listen(dir, l.hello, l.log, l.act)
	if err != nil {
		_ = dir.Close()
		return
	}
	l.dir, l.server, l.deaf = dir, server, false
}

// end ends a run.
func (l *live) end() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.timer != nil {
		l.timer.Stop()
	}
	close(l.over)
	l.w, l.commands = nil, nil
}

// close ends it all.
func (l *live) close(code int) {
	l.log.End(code)
	l.mu.Lock()
	server, dir := l.server, l.dir
	l.server, l.deaf = nil, true
	l.mu.Unlock()
	if server != nil {
		server.Close()
		_ = dir.Close()
	}
}

// act carries out what another terminal asks for.
func (l *live) act(r attach.Request) attach.Answer {
	if r.Do == attach.Jobs {
		return answered(attach.Answer{}, l.order(haz.Command{Order: haz.SetJobs, Jobs: r.Jobs}))
	}
	if r.Do == attach.Rerun && l.reruns != nil {
		return l.rerun(r)
	}
	id, a := called(r.Task, l.log.Tasks())
	if a.Refused != "" {
		return a
	}
	switch r.Do {
	case attach.Cancel:
		return answered(a, l.order(haz.Command{Order: haz.CancelTask, Task: id}))
	case attach.Restart:
		return answered(a, l.order(haz.Command{Order: haz.RestartTask, Task: id}))
	}
	return attach.Answer{Task: a.Task, Refused: "a run carries out each task once", Hint: "start it again in another run: haz run --force " + a.Task + "; while it executes, haz attach --restart does"}
}

// called is the task that somebody means: by its whole name, or by its own where the run has one of that name.
func called(name string, tasks []haz.TaskID) (haz.TaskID, attach.Answer) {
	var found []haz.TaskID
	var names []string
	for _, id := range tasks {
		if id.String() == name {
			return id, attach.Answer{Task: name}
		}
		if id.Task == name {
			found = append(found, id)
		}
		names = append(names, id.String())
	}
	if len(found) == 1 {
		return found[0], attach.Answer{Task: found[0].String()}
	}
	a := attach.Answer{Unknown: true, Refused: "task " + diag.Quote(name) + " is not in this run"}
	if len(found) > 1 {
		a.Refused = "this run has several tasks called " + diag.Quote(name)
		for _, id := range found[:min(3, len(found))] {
			a.Hint += ", " + id.String()
		}
		a.Hint = strings.TrimPrefix(a.Hint, ", ")
	} else if near := diag.Nearest(name, names); near != "" {
		a.Hint = "did you mean " + near + "?"
	}
	return haz.TaskID{}, a
}

// offer says which tasks of a watch may be run again.
func (l *live) offer(tasks []*haz.Task) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.all = make([]haz.TaskID, len(tasks))
	for i, t := range tasks {
		l.all[i] = t.ID
	}
}

// rerun asks the watch for one more run of a task, after the one under way.
func (l *live) rerun(r attach.Request) attach.Answer {
	l.mu.Lock()
	all := l.all
	l.mu.Unlock()
	id, a := called(r.Task, all)
	if a.Refused != "" {
		return a
	}
	select {
	case l.reruns <- id:
	default:
		a.Refused = "the watch has many such wishes already"
	}
	return a
}

// order passes a command on to the run under way, and waits for what becomes of it.
func (l *live) order(c haz.Command) error {
	answer := make(chan error, 1)
	c.Answer = answer
	ended := &haz.CommandError{Command: c, Refusal: haz.RunEnded}
	l.mu.Lock()
	over, taken := l.over, false
	select {
	case l.commands <- c: // nil between two runs
		taken = true
	default:
	}
	l.mu.Unlock()
	if !taken {
		return ended
	}
	select {
	case err := <-answer:
		return err
	case <-over:
	}
	select {
	case err := <-answer:
		return err
	default:
		return ended
	}
}

// answered words what became of a command.
func answered(a attach.Answer, err error) attach.Answer {
	if err == nil {
		return a
	}
	a.Refused = err.Error()
	var why *haz.CommandError
	if errors.As(err, &why) {
		switch why.Refusal {
		case haz.NotExecuting:
			a.Hint = "only a task whose process runs can be started again"
		case haz.TaskEnded:
			a.Hint = "a run carries out each task once: haz run --force " + a.Task + " does so again"
		}
	}
	return a
}
