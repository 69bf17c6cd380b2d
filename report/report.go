// Package report is what people see of a run: lines of tasks while they run, one summary line a task, an epilogue; in
// colour or without, live or buffered. It also writes the record of a run for machines.
//
// What is printed never changes what happens: a terminal that is gone or full stops the printing and nothing else.
package report

import (
	"io"
	"sync"
	"time"

	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/workspace"
)

// Verbosity is how much is said (chapter 3, 10.3).
type Verbosity uint8

const (
	Normal Verbosity = iota
	Quiet
	Verbose
)

// Stream is standard output or standard error, and how to write there.
type Stream struct {
	W        io.Writer
	Palette  Palette
	Terminal bool
}

// Options of a Printer.
type Options struct {
	Stdout, Stderr Stream
	OnePlace       bool // both streams lead to one file or pipe; two terminals always count as one place
	Buffered       bool
	NewOnly        bool // what hits printed when they ran is not shown again
	Verbosity      Verbosity
	Brief          bool // as Quiet while tasks run, and of those that were cancelled no output; the epilogue as ever
	ASCII          bool // the terminal does not speak UTF-8
	Azure          bool // log commands of Azure Pipelines keep the start of their lines
	TeamCity       bool // service messages of TeamCity keep the start of their lines
	GitHub         bool // workflow commands keep the start of their lines; blocks of tasks that did not fail are folded
	Spool          SpoolFactory
	Now            func() time.Time
	// Progress draws the progress line on stderr; nil: none. Width is asked before every drawing; 0 means unknown.
	Progress *Progress
}

// Progress configures the progress line.
type Progress struct {
	Width func() int
	Every time.Duration // at least this between two drawings
}

// Printer prints a run. Handle is for the observer of the run: one event at a time, in order.
type Printer struct {
	o    Options
	look Look

	mu     sync.Mutex // guards all below, and the order of bytes on both streams
	screen screen
	tasks  map[workspace.TaskID]*taskView
	tally  tally
	spoke  workspace.TaskID // whose line was printed last, in live mode
	stop   chan struct{}    // ends the progress goroutine
	done   chan struct{}

	last string // belongs to whoever calls End
}

// taskView is a task that has been heard of and has not ended.
type taskView struct {
	prefix  [2]string // on stdout, stderr
	lines   [2]lines
	block   *block // when nothing is shown before the end
	tail    tail   // what was shown last, in live mode
	started time.Time
	begun   bool
}

const (
	toStdout = 0
	toStderr = 1
)

// New makes a Printer; End must follow.
func New(o Options) *Printer {
	if o.Now == nil {
		o.Now = time.Now
	}
	p := &Printer{o: o, look: Look{Glyphs: GlyphSet(o.ASCII), Palette: o.Stderr.Palette}, tasks: map[workspace.TaskID]*taskView{}}
	p.tally.tails = map[workspace.TaskID]*tail{}
	p.screen = screen{out: [2]Stream{o.Stdout, o.Stderr}, one: o.OnePlace || o.Stdout.Terminal && o.Stderr.Terminal}
	p.tally.start = o.Now()
	if o.Progress != nil {
		p.stop, p.done = make(chan struct{}), make(chan struct{})
		go p.tick()
	}
	return p
}

// Handle prints what an event says.
func (p *Printer) Handle(e messages.Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch m := e.(type) {
	case messages.RunStarted:
		p.tally.start, p.tally.selected = m.At, len(m.Tasks)
	case messages.TaskStarted:
		p.started(m)
	case messages.TaskOutput:
		p.output(m)
	case messages.AttemptFailed:
		p.retried(m.Task, p.look.again(m))
	case messages.TaskRestarted:
		p.retried(m.Task, p.look.afresh())
	case messages.ServiceStarted:
		if !p.quiet() {
			p.say(p.look.Ready(m))
		}
	case messages.TaskNoted:
		p.say(p.look.TaskNote(m))
	case messages.RunNoted:
		p.say(p.look.RunNote(m))
	case messages.TaskFinished:
		p.finished(m.Outcome)
	case messages.ViolationFound:
		p.tally.violations = append(p.tally.violations, m.Violation)
	case messages.RunCancelling:
		p.say(p.look.Cancelling(m))
	case messages.RunFinished:
		p.tally.counts, p.tally.end, p.tally.counted = m.Counts, m.At, true
	}
}

// hidePatience is how long Hide waits for a write that does not end: its reader may be stopped already.
const hidePatience = 200 * time.Millisecond

// Hide takes the progress line away and holds everything back until show is called, so that the terminal can be left to others. It
// must not be called twice without show.
func (p *Printer) Hide() (show func()) {
	for begun := time.Now(); !p.mu.TryLock(); time.Sleep(time.Millisecond) {
		if time.Since(begun) > hidePatience {
			return func() {}
		}
	}
	p.screen.erase()
	return p.mu.Unlock
}

// End prints the epilogue of a run that exits with that code, and stops drawing. It must be called once, whatever ended
// the run; Handle must not be called after it.
//
// A terminal that was stopped, or a pager that does not read on, blocks every write. With patience above zero End gives up
// after that time, so that an interrupted program can still exit; it reports whether all was written.
func (p *Printer) End(exit int, patience time.Duration) bool {
	if patience <= 0 {
		p.end(exit)
		return true
	}
	done := make(chan struct{})
	go func() {
		defer close(done)
		p.end(exit)
	}()
	limit := time.NewTimer(patience)
	defer limit.Stop()
	select {
	case <-done:
		return true
	case <-limit.C:
		return false
	}
}

func (p *Printer) end(exit int) {
	if p.stop != nil {
		close(p.stop)
		<-p.done
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.screen.erase()
	for _, v := range p.tasks { // only when the run crashed: outputs of tasks without an end
		v.block.close()
	}
	if !p.tally.counted {
		p.tally.end = p.o.Now()
	}
	p.say(p.look.NeverStarted(p.tally.unstarted))
	if p.tally.selected > 0 && (p.o.Verbosity != Quiet || exit != 0) {
		p.say(p.look.Epilogue(p.epilogue()))
	}
	p.say(p.last)
}

// epilogue is what the run ends with. What a failed task printed last is not repeated where no other task printed after it.
func (p *Printer) epilogue() Epilogue {
	delete(p.tally.tails, p.spoke)
	return p.tally.epilogue(p.o.Verbosity == Verbose)
}

// AtEnd adds a text of haz itself that End prints last. It does not wait for anything.
func (p *Printer) AtEnd(text string) { p.last += text }

// quiet reports whether tasks that succeed are not shown.
func (p *Printer) quiet() bool { return p.o.Verbosity == Quiet || p.o.Brief }

func (p *Printer) say(text string) {
	if text != "" {
		p.screen.fresh()
		p.screen.write(toStderr, []byte(text))
	}
}

func (p *Printer) view(id workspace.TaskID) *taskView {
	v := p.tasks[id]
	if v == nil {
		v = &taskView{prefix: [2]string{p.o.Stdout.Palette.Prefix(id), p.o.Stderr.Palette.Prefix(id)}}
		if p.o.Buffered || p.quiet() {
			v.block = &block{spool: p.o.Spool}
		}
		p.tasks[id] = v
	}
	return v
}

func (p *Printer) started(m messages.TaskStarted) {
	v := p.view(m.Task)
	v.begun, v.started = true, m.At
	p.tally.running++
	if p.o.Verbosity == Verbose && m.Miss != nil {
		p.say(p.look.Miss(m))
	}
}

func (p *Printer) output(m messages.TaskOutput) {
	if m.Replayed && p.o.NewOnly {
		return
	}
	v, s := p.view(m.Task), toStdout
	if m.Stderr {
		s = toStderr
	}
	if v.block != nil {
		v.block.write(s, m.Bytes)
		return
	}
	v.lines[s].feed(m.Bytes, func(line []byte) { p.live(m.Task, v, s, line) })
}

// live prints a line of a task as soon as it is whole.
func (p *Printer) live(id workspace.TaskID, v *taskView, s int, line []byte) {
	p.spoke = id
	v.tail.add(line)
	p.line(v, s, line)
}

func (p *Printer) line(v *taskView, s int, line []byte) {
	prefix := v.prefix[s]
	if p.o.GitHub && isCommand(line) || p.o.Azure && isAzureCommand(line) || p.o.TeamCity && isServiceMessage(line) {
		prefix = ""
	}
	p.screen.line(s, prefix, line)
}

// retried stands between the output of two processes of a task, where that is shown.
func (p *Printer) retried(id workspace.TaskID, text string) {
	v, line := p.view(id), p.look.Palette.Prefix(id)+text+"\n"
	if v.block == nil {
		for s := range v.lines {
			v.lines[s].end(func(line []byte) { p.live(id, v, s, line) })
		}
		p.say(line)
		return
	}
	v.block.endLines()
	if p.o.Buffered {
		v.block.write(toStderr, []byte(line))
	} else { // shown with a prefix, as lines are
		v.block.write(toStderr, []byte(text+"\n"))
	}
}

func (p *Printer) finished(o messages.Outcome) {
	v := p.view(o.Task)
	delete(p.tasks, o.Task)
	if v.begun {
		p.tally.running--
	}
	p.tally.add(o)
	p.flush(o, v)
	if o.Status == messages.Failed && v.tail.n > 0 && len(p.tally.tails) < tailTasks {
		p.tally.tails[o.Task] = &v.tail
	}
	alone := o.Cause == messages.Signalled || o.Cause == messages.Requested || o.Cause == messages.ServiceDied
	if o.Status == messages.Cancelled && !alone && !v.begun && p.o.Verbosity != Verbose {
		p.tally.unstarted = append(p.tally.unstarted, o) // named or counted at the end
		return
	}
	if p.quiet() && (o.Status == messages.Completed || o.Status == messages.Skipped) {
		return
	}
	p.say(p.look.Finished(o))
	if p.o.Verbosity == Verbose {
		p.say(p.look.Leftovers(o))
	}
}

// flush shows what of the task's output was not shown yet.
func (p *Printer) flush(o messages.Outcome, v *taskView) {
	if v.block == nil {
		for s := range v.lines {
			v.lines[s].end(func(line []byte) { p.live(o.Task, v, s, line) })
		}
		return
	}
	defer v.block.close()
	if !p.quiet() || o.Status == messages.Failed || o.Status == messages.Cancelled && !p.o.Brief {
		fold := p.o.Buffered && p.o.GitHub && o.Status != messages.Failed && v.block.size > 0
		if fold {
			p.screen.command("::group::" + o.Task.String())
		}
		p.show(o, v)
		if fold {
			p.screen.command("::endgroup::")
		}
	}
	if p.o.Buffered && p.o.GitHub && o.Status == messages.Failed {
		p.screen.command("::error::" + escapeCommand(p.look.annotation(o)))
	}
}

// show prints what was held back, in the order in which it came.
func (p *Printer) show(o messages.Outcome, v *taskView) {
	v.block.end()
	var began [2]bool
	v.block.read(func(s int, chunk []byte) {
		switch {
		case !p.o.Buffered: // quiet: held back to the end, then shown as in live mode
			v.lines[s].feed(chunk, func(line []byte) { p.line(v, s, line) })
			return
		case !began[s] || p.screen.one && p.screen.open[1-s]:
			p.screen.begin(s)
			began[s] = true
		}
		p.screen.write(s, chunk)
	})
	for s := range v.lines {
		v.lines[s].end(func(line []byte) { p.line(v, s, line) })
	}
	if v.block.lost > 0 {
		p.say(p.look.Lost(o.Task, v.block.lost, v.block.err))
	}
}
