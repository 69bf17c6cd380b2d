//go:build linux

package ui

import (
	"bytes"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"

	"github.com/haz-build/haz/messages"
	"github.com/haz-build/haz/report"
	"github.com/haz-build/haz/workspace"
)

// terminals stay open to the end: the library does not say when the last goroutine of its has left one.
var terminals []*os.File

// shownView is a view in a terminal of its own.
type shownView struct {
	*View
	t      *testing.T
	keys   *os.File
	its    *os.File
	was    unix.Termios
	wishes chan Wish
	over   chan string
	defect atomic.Bool // the next wish panics

	mu  sync.Mutex
	out bytes.Buffer
}

func show(t *testing.T, watch bool) *shownView {
	t.Helper()
	ours, its, err := pty.Open()
	if err != nil {
		t.Skipf("no pseudo terminal: %v", err)
	}
	_ = pty.Setsize(ours, &pty.Winsize{Rows: 12, Cols: 60})
	s := &shownView{t: t, keys: ours, its: its, wishes: make(chan Wish, 8), over: make(chan string, 1)}
	s.was = s.mode()
	go func() {
		b := make([]byte, 4096)
		for {
			n, err := ours.Read(b)
			s.mu.Lock()
			s.out.Write(b[:n])
			s.mu.Unlock()
			if err != nil {
				return
			}
		}
	}()
	s.View = Open(t.Context(), Options{Look: report.Look{Glyphs: report.GlyphSet(false)}, Watch: watch, In: its, Out: its, Environ: []string{"TERM=xterm-256color"},
		Do: func(w Wish) {
			if s.defect.Load() {
				panic("a defect of a key")
			}
			s.wishes <- w
		}, Over: func(what string) { s.over <- what }})
	t.Cleanup(s.Close)
	terminals = append(terminals, ours, its)
	return s
}

func (s *shownView) mode() unix.Termios {
	s.t.Helper()
	m, err := unix.IoctlGetTermios(int(s.its.Fd()), unix.TCGETS)
	if err != nil {
		s.t.Fatal(err)
	}
	return *m
}

func (s *shownView) output() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.String()
}

func (s *shownView) until(what string, ok func() bool) {
	s.t.Helper()
	for begun := time.Now(); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Since(begun) > 20*time.Second {
			s.t.Fatalf("%s: not so; output: %q", what, s.output())
		}
	}
}

func (s *shownView) shows(text string) {
	s.t.Helper()
	s.until("shows "+text, func() bool { return strings.Contains(s.output(), text) })
}

func (s *shownView) givenBack() {
	s.t.Helper()
	s.until("the terminal is given back", func() bool {
		out := s.output()
		return s.mode() == s.was && strings.LastIndex(out, "\x1b[?1049l") > strings.LastIndex(out, "\x1b[?1049h") && strings.LastIndex(out, "\x1b[?25h") > strings.LastIndex(out, "\x1b[?25l")
	})
}

var begin = messages.RunStarted{Tasks: []workspace.TaskID{id("serve")}, At: at(0)}

// Keys become wishes; the screen is lent and taken again, by several at a time; at the end it is given back.
func TestView(t *testing.T) {
	s := show(t, true)
	s.Handle(begin)
	s.Handle(messages.TaskStarted{Task: id("serve"), At: at(0)})
	s.Handle(messages.TaskOutput{Task: id("serve"), Bytes: []byte("first line\n")})
	s.shows("p:serve")
	for key, want := range map[string]Wish{"r": {RestartTask, id("serve")}, "c": {CancelTask, id("serve")}, "a": {RerunAll, id("serve")}, "p": {Pause, id("serve")},
		"q": {Leave, id("serve")}, "\x03": {StopRun, id("serve")}, "\x1a": {Suspend, id("serve")}} {
		_, _ = s.keys.WriteString(key)
		select {
		case got := <-s.wishes:
			if got != want {
				t.Errorf("%q: %+v, want %+v", key, got, want)
			}
		case <-time.After(20 * time.Second):
			t.Fatalf("%q: nothing is wished", key)
		}
	}
	one := s.Lend()
	two := s.Lend()
	s.givenBack()
	one()
	s.Handle(messages.TaskOutput{Task: id("serve"), Bytes: []byte("while it was away\n")})
	if s.mode() != s.was {
		t.Error("the screen is taken while somebody has it")
	}
	two()
	_, _ = s.keys.WriteString("l")
	s.shows("while it was away")
	s.Close()
	s.givenBack()
	s.Handle(begin) // harmless
	s.Lend()()
	if len(s.over) > 0 {
		t.Error("the view broke")
	}
}

// A defect of the view ends it, gives the terminal back, and says what it was; whoever goes on to tell it of a run is not disturbed.
func TestViewBreaks(t *testing.T) {
	for name, defect := range map[string]func(s *shownView){
		"in the drawing": func(s *shownView) { s.with(func(s *state) { s.rows[1] = nil }) },
		"in an event":    func(s *shownView) { s.with(func(*state) { panic("a defect\nof the view") }) },
		"in a key": func(s *shownView) {
			s.defect.Store(true)
			_, _ = s.keys.WriteString("a")
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := show(t, true)
			s.Handle(begin)
			s.shows("p:serve")
			defect(s)
			select {
			case what := <-s.over:
				if what == "" || strings.Contains(what, "\n") {
					t.Errorf("it says %q", what)
				}
			case <-time.After(20 * time.Second):
				t.Fatal("it goes on")
			}
			s.givenBack()
			s.Handle(messages.TaskStarted{Task: id("serve"), At: at(0)})
			s.Lend()()
		})
	}
}
