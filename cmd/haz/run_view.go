package main

import (
	"io"
	"os"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/haz-build/haz"
	"github.com/haz-build/haz/cmd/haz/streams"
	"github.com/haz-build/haz/cmd/haz/ui"
	"github.com/haz-build/haz/report"
)

// presenter shows a run to people.
type presenter interface {
	Handle(e haz.Event)
	Hide() (show func()) // leaves the terminal to others
	AtEnd(text string)
	End(code int, patience time.Duration) bool
}

// screen is the full-screen view (AUX-050), what is kept back for the screen below it, and what its keys reach.
type screen struct {
	v    *invocation
	view *ui.View
	gate *streams.Gate
	errs io.Writer // as they were

	order atomic.Pointer[orders] // to the run under way
	keys  chan byte              // to a watch
}

// orders is who carries out what is asked of a run.
type orders struct {
	do func(haz.Command) error
}

// wantsScreen reports whether runs are shown on the full screen: --ui says so, or the workspace where nothing speaks against it.
func (v *invocation) wantsScreen(w *haz.Workspace) bool {
	asked := v.has("ui")
	if v.has("no-ui") || !asked && (w.W.Settings.UI != "auto" || v.has("quiet") || v.env("CI") != "" || v.value("progress") == "off") {
		return false
	}
	if able := v.stdout.Terminal && streams.IsTerminal(os.Stdin) && v.env("TERM") != "dumb"; !able {
		if asked && !v.has("quiet") && !v.toldScreen {
			v.toldScreen = true
			v.tell("haz: --ui needs a terminal that output goes to and keys come from, so this is shown line by line\n")
		}
		return false
	}
	return true
}

// openScreen takes the screen until close.
func (v *invocation) openScreen(watch bool) *screen {
	s := &screen{v: v, gate: streams.NewGate(v.stdout.W, v.stderr.W, spool), errs: v.errs.W, keys: make(chan byte, 16)}
	palette := v.styled(v.stdout).Palette
	s.view = ui.Open(v.ctx, ui.Options{Look: report.Look{Glyphs: report.GlyphSet(!report.SpeaksUTF8(v.env)), Palette: palette}, Watch: watch,
		In: os.Stdin, Out: v.stdout.File, Environ: v.environ, Do: s.do, Over: s.broken})
	if v.stderr.Terminal { // what else is told goes to the view, and is seen below it afterwards
		v.errs.W = said{s}
	}
	streams.FillScreen(s.lend)
	return s
}

// said is where haz itself says something while the view is up.
type said struct{ s *screen }

func (w said) Write(b []byte) (int, error) {
	w.s.view.Say(string(b))
	_, errs := w.s.gate.Writers()
	return errs.Write(b)
}

// close gives the screen back, and shows what was kept for the screen below.
func (s *screen) close() {
	streams.FillScreen(nil)
	s.view.Close()
	s.gate.Open()
	s.v.errs.W = s.errs
}

// broken goes on line by line: the run is not the view's.
func (s *screen) broken(what string) {
	streams.FillScreen(nil)
	s.gate.Open()
	if what != "" {
		_, _ = s.errs.Write([]byte(internalError(what + " (in the full-screen view; the run goes on)")))
	}
}

// lendPatience is how long a terminal that stands still is waited for by who is about to stop or end this program.
const lendPatience = 500 * time.Millisecond

func (s *screen) lend() (back func()) {
	lent := make(chan func(), 1)
	go func() { lent <- s.view.Lend() }()
	select {
	case back := <-lent:
		return back
	case <-time.After(lendPatience):
		return func() { go func() { (<-lent)() }() }
	}
}

// do does what keys ask for. It returns at once.
func (s *screen) do(wish ui.Wish) {
	switch wish.Kind {
	case ui.StopRun: // in the mode of the view a key makes no signal
		_ = syscall.Kill(os.Getpid(), syscall.SIGINT)
	case ui.Suspend:
		_ = syscall.Kill(0, syscall.SIGTSTP) // to all whom a terminal would send it
	case ui.RestartTask:
		s.ask(haz.Command{Order: haz.RestartTask, Task: wish.Task})
	case ui.CancelTask:
		s.ask(haz.Command{Order: haz.CancelTask, Task: wish.Task})
	case ui.Rerun:
		s.press('r')
	case ui.RerunAll:
		s.press('a')
	case ui.Pause:
		s.press('p')
	case ui.Leave:
		s.press('q')
	}
}

func (s *screen) press(key byte) {
	select {
	case s.keys <- key:
	default: // whoever types that fast will type again
	}
}

// ask asks the run under way, and tells when it refuses.
func (s *screen) ask(c haz.Command) {
	o := s.order.Load()
	if o == nil {
		return
	}
	go func() {
		if err := o.do(c); err != nil {
			s.view.Status(err.Error())
		}
	}()
}

// viewed shows a run on the screen, and keeps for the screen below what is to be seen there.
type viewed struct {
	*report.Printer
	s    *screen
	last bool // the screen is given back with this run
}

// printer shows one run; what was kept of the one before is forgotten.
func (s *screen) printer(o report.Options, last bool) *viewed {
	s.gate.Forget()
	o.Brief, o.Progress = true, nil
	o.Stdout.W, o.Stderr.W = s.gate.Writers()
	if !s.v.stderr.Terminal {
		o.Stderr.W = s.v.stderr.W
	}
	return &viewed{report.New(o), s, last}
}

func (p *viewed) Handle(e haz.Event) {
	p.s.view.Handle(e)
	p.Printer.Handle(e)
}

func (p *viewed) Hide() (show func()) {
	back := p.s.lend()
	goOn := p.Printer.Hide()
	return func() {
		goOn()
		back()
	}
}

func (p *viewed) End(code int, patience time.Duration) bool {
	whole := p.Printer.End(code, patience)
	if p.last {
		p.s.close()
	}
	return whole
}
