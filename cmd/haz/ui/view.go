package ui

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	tea "charm.land/bubbletea/v2"

	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/report"
	"github.com/haz-build/haz/workspace"
)

// Wish is what a key asks for that the view cannot do itself.
type Wish struct {
	Kind Kind
	Task workspace.TaskID // of RestartTask and CancelTask
}

// Kind is what a Wish is about.
type Kind uint8

const (
	StopRun     = Kind(stopRun)   // as a signal would
	Suspend     = Kind(suspend)   // with all that runs
	RestartTask = Kind(restart)   // whose process is running
	CancelTask  = Kind(cancel)    // and what needs it
	Rerun       = Kind(rerun)     // of a watch: run again
	RerunAll    = Kind(rerunAll)  // of a watch: carry everything out
	Pause       = Kind(pauseRuns) // of a watch, and go on
	Leave       = Kind(leave)     // of a watch
)

// Options of a View.
type Options struct {
	Look    report.Look
	Watch   bool // runs follow each other until Leave
	In, Out *os.File
	Environ []string
	Do      func(Wish)        // must return at once
	Over    func(what string) // the view broke, with what, and is gone; not called after Close
}

// View is the full-screen view, from Open to Close. It never holds up whoever tells it something for the terminal's sake.
type View struct {
	o       Options
	program *tea.Program
	done    chan struct{} // the terminal is as it was

	mu     sync.Mutex // guards all below
	s      *state
	d      drawing
	caught string // the first panic
	closed bool

	lending sync.Mutex
	lent    int // to how many the terminal is left
	loan    *loan
}

// frame is how often the view is drawn, at most: times go on by themselves.
const frame = 100 * time.Millisecond

// Open takes the screen.
func Open(ctx context.Context, o Options) *View {
	v := &View{o: o, done: make(chan struct{}), s: newState(o.Look, o.Watch)}
	// Signals are ours, so that each has its exit code.
	v.program = tea.NewProgram(model{v}, tea.WithContext(ctx), tea.WithInput(o.In), tea.WithOutput(o.Out), tea.WithEnvironment(o.Environ), tea.WithoutSignalHandler())
	go func() {
		_, err := v.program.Run()
		v.mu.Lock()
		what, closed := v.caught, v.closed
		v.mu.Unlock()
		if what == "" && err != nil {
			what = "the terminal: " + err.Error()
		}
		close(v.done)
		if !closed && o.Over != nil {
			o.Over(what)
		}
	}()
	return v
}

// closePatience is how long a terminal that stands still is waited for at the end.
const closePatience = 2 * time.Second

// Close gives the screen back.
func (v *View) Close() {
	v.mu.Lock()
	v.closed = true
	v.mu.Unlock()
	go v.program.Quit()
	limit := time.NewTimer(closePatience)
	defer limit.Stop()
	select {
	case <-v.done:
	case <-limit.C:
	}
}

// with lets f change what is shown. A defect there ends the view, and nothing else.
func (v *View) with(f func(s *state)) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.caught != "" || v.closed {
		return
	}
	defer v.catch(func() { go v.program.Quit() })
	f(v.s)
}

// Handle shows an event of a run.
func (v *View) Handle(e messages.Event) { v.with(func(s *state) { s.handle(e) }) }

// Say shows what haz says.
func (v *View) Say(text string) { v.with(func(s *state) { s.say(text) }) }

// Status shows a line until the next key.
func (v *View) Status(text string) { v.with(func(s *state) { s.status = text }) }

// Paused shows whether a watch is paused.
func (v *View) Paused(is bool) { v.with(func(s *state) { s.paused = is }) }

// Lend leaves the terminal to others, as it was, until back is called, by all of them.
func (v *View) Lend() (back func()) {
	v.lending.Lock()
	defer v.lending.Unlock()
	if v.lent++; v.lent == 1 {
		v.loan = &loan{got: make(chan struct{}), back: make(chan struct{})}
		go v.program.Send(v.loan)
		select {
		case <-v.loan.got:
		case <-v.done:
		}
	}
	return sync.OnceFunc(func() {
		v.lending.Lock()
		defer v.lending.Unlock()
		if v.lent--; v.lent == 0 {
			close(v.loan.back)
		}
	})
}

// loan is the time in which others have the terminal, as the library sees it: a command that runs there.
type loan struct {
	got, back chan struct{}
	lent      sync.Once
}

func (l *loan) Run() error {
	l.handOver(nil)
	<-l.back
	return nil
}

// handOver is also for a terminal that could not be given back as it was: it is gone.
func (l *loan) handOver(error) tea.Msg {
	l.lent.Do(func() { close(l.got) })
	return nil
}

func (*loan) SetStdin(io.Reader)  {}
func (*loan) SetStdout(io.Writer) {}
func (*loan) SetStderr(io.Writer) {}

// catch turns a panic into the end of the view. The caller holds mu.
func (v *View) catch(leave func()) {
	if r := recover(); r != nil {
		if v.caught == "" {
			v.caught = strings.ReplaceAll(fmt.Sprint(r), "\n", " ")
		}
		leave()
	}
}

// model is what the library sees of a view.
type model struct{ v *View }

type tick struct{}

func next() tea.Cmd { return tea.Tick(frame, func(time.Time) tea.Msg { return tick{} }) }

func (m model) Init() tea.Cmd { return next() }

func (m model) Update(msg tea.Msg) (_ tea.Model, cmd tea.Cmd) {
	v := m.v
	v.mu.Lock()
	defer v.mu.Unlock()
	defer v.catch(func() { cmd = tea.Quit })
	if v.caught != "" {
		return m, tea.Quit
	}
	switch msg := msg.(type) {
	case tick:
		return m, next()
	case *loan:
		return m, tea.Exec(msg, msg.handOver)
	case tea.WindowSizeMsg:
		v.d.width, v.d.height = msg.Width, msg.Height
	case tea.KeyPressMsg:
		key := msg.String()
		if msg.Text != "" && msg.Text != " " {
			key = msg.Text
		}
		if e := v.s.press(key); e != nothing {
			v.o.Do(Wish{Kind: Kind(e), Task: v.s.rows[v.s.cursor].task})
		}
	}
	return m, nil
}

func (m model) View() (view tea.View) {
	v := m.v
	v.mu.Lock()
	defer v.mu.Unlock()
	view = tea.NewView("")
	view.AltScreen = true
	defer v.catch(func() { go v.program.Quit() }) // it waits for the loop that asked for this view
	if v.caught == "" && v.d.width > 0 && v.d.height > 0 {
		view.Content = v.d.screen(v.s, time.Now())
	}
	return view
}
