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

// Output is one of the two streams.
type Output struct {
	W        io.Writer
	Palette  Palette
	Terminal bool
}

// Options of a Printer.
type Options struct {
	Stdout, Stderr Output
	Buffered       bool
	Verbosity      Verbosity
	ASCII          bool // the terminal does not speak UTF-8
	GitHub         bool // fold each task's block (buffered mode only)
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
	stop   chan struct{} // ends the progress goroutine
	done   chan struct{}

	last string // belongs to whoever calls End
}

// taskView is a task that has been heard of and has not ended.
type taskView struct {
	prefix  [2]string // on stdout, stderr
	lines   [2]lines
	blocks  [2]*block // when nothing is shown before the end
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
	p.screen = screen{out: [2]Output{o.Stdout, o.Stderr}}
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
		for i := range v.blocks {
			v.blocks[i].close()
		}
	}
	if !p.tally.counted {
		p.tally.end = p.o.Now()
	}
	if p.tally.selected > 0 && (p.o.Verbosity != Quiet || exit != 0) {
		p.say(p.look.Epilogue(p.tally.epilogue(p.o.Verbosity == Verbose)))
	}
	p.say(p.last)
}

// AtEnd adds a text of haz itself that End prints last. It does not wait for anything.
func (p *Printer) AtEnd(text string) { p.last += text }

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
		if p.o.Buffered || p.o.Verbosity == Quiet {
			v.blocks = [2]*block{{spool: p.o.Spool}, {spool: p.o.Spool}}
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
	v, s := p.view(m.Task), toStdout
	if m.Stderr {
		s = toStderr
	}
	if v.blocks[s] != nil {
		v.blocks[s].write(m.Bytes)
		return
	}
	v.lines[s].feed(m.Bytes, func(line []byte) { p.screen.line(s, v.prefix[s], line) })
}

func (p *Printer) finished(o messages.Outcome) {
	v := p.view(o.Task)
	delete(p.tasks, o.Task)
	if v.begun {
		p.tally.running--
	}
	p.tally.add(o)
	p.flush(o, v)
	if p.o.Verbosity == Quiet && (o.Status == messages.Completed || o.Status == messages.Skipped) {
		return
	}
	p.say(p.look.Finished(o))
	if p.o.Verbosity == Verbose {
		p.say(p.look.Leftovers(o))
	}
}

// flush shows what of the task's output was not shown yet.
func (p *Printer) flush(o messages.Outcome, v *taskView) {
	if v.blocks[toStdout] == nil {
		for s := range v.lines {
			v.lines[s].end(func(line []byte) { p.screen.line(s, v.prefix[s], line) })
		}
		return
	}
	defer v.blocks[toStdout].close()
	defer v.blocks[toStderr].close()
	shown := p.o.Verbosity != Quiet || o.Status == messages.Failed || o.Status == messages.Cancelled
	group := p.o.Buffered && p.o.GitHub
	fold := group && shown && (v.begun || v.blocks[toStdout].size+v.blocks[toStderr].size > 0)
	if fold {
		p.screen.command("::group::" + o.Task.String())
	}
	for s, b := range v.blocks {
		if !shown {
			break
		}
		if p.o.Buffered {
			b.read(func(chunk []byte) { p.screen.write(s, chunk) })
		} else { // quiet: held back to the end, then shown as in live mode
			b.read(func(chunk []byte) {
				v.lines[s].feed(chunk, func(line []byte) { p.screen.line(s, v.prefix[s], line) })
			})
			v.lines[s].end(func(line []byte) { p.screen.line(s, v.prefix[s], line) })
		}
		if b.lost > 0 {
			p.say(p.look.Lost(o.Task, b.lost, b.err))
		}
	}
	if fold {
		p.screen.command("::endgroup::")
	}
	if group && o.Status == messages.Failed {
		p.screen.command("::error::" + escapeCommand(p.look.annotation(o)))
	}
}
