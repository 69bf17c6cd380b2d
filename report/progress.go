package report

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/haz-build/haz/workspace"
)

// running is a task of the progress line.
type running struct {
	Task  workspace.TaskID
	Since time.Time
}

// progressState is what the progress line shows.
type progressState struct {
	Ended, Selected, Failed int
	Running                 []running
	Elapsed                 time.Duration
}

// tick draws the progress line until End. Every drawing takes the lock, so it never lands inside another line.
func (p *Printer) tick() {
	defer close(p.done)
	every := max(p.o.Progress.Every, 100*time.Millisecond)
	t := time.NewTicker(every)
	defer t.Stop()
	last := ""
	for {
		select {
		case <-p.stop:
			return
		case <-t.C:
		}
		p.mu.Lock()
		if p.tally.selected > p.tally.ended {
			now := p.o.Now()
			text := layOut(p.look, p.progress(now), now, p.o.Progress.Width())
			if text != last || !p.screen.drawn {
				p.screen.draw(text)
				last = text
			}
		} else {
			p.screen.erase()
		}
		p.mu.Unlock()
	}
}

func (p *Printer) progress(now time.Time) progressState {
	s := progressState{Ended: p.tally.ended, Selected: p.tally.selected, Failed: len(p.tally.failed), Elapsed: now.Sub(p.tally.start)}
	for id, v := range p.tasks {
		if v.begun {
			s.Running = append(s.Running, running{id, v.started})
		}
	}
	return s
}

// layOut lays the progress line out: as many names as fit, the longest running first; cut to the width (0: 80).
func layOut(l Look, s progressState, now time.Time, width int) string {
	if width <= 0 {
		width = 80
	}
	width-- // the last column wraps on some terminals
	slices.SortFunc(s.Running, func(a, b running) int { return cmp.Or(a.Since.Compare(b.Since), a.Task.Compare(b.Task)) })
	for names := len(s.Running); ; names-- {
		line := progressLine(l.Glyphs.Dot, s, now, max(0, names))
		if n := utf8.RuneCountInString(line); n <= width {
			return line
		} else if names <= 0 {
			return cut(line, width)
		}
		if names > 32 { // no terminal shows more: do not lay out every prefix of a thousand names
			names = 32
		}
	}
}

func progressLine(dot string, s progressState, now time.Time, names int) string {
	parts := []string{fmt.Sprintf("%d/%d", s.Ended, s.Selected), fmt.Sprintf("%d running", len(s.Running))}
	if names > 0 {
		var list []string
		for _, r := range s.Running[:names] {
			list = append(list, fmt.Sprintf("%s %ds", r.Task, max(0, now.Sub(r.Since)/time.Second)))
		}
		if names < len(s.Running) {
			list = append(list, "...")
		}
		parts[1] += ": " + strings.Join(list, ", ")
	}
	if s.Failed > 0 {
		parts = append(parts, fmt.Sprintf("%d failed", s.Failed))
	}
	return strings.Join(append(parts, clock(s.Elapsed)), " "+dot+" ")
}

func cut(s string, width int) string {
	n := 0
	for i := range s {
		if n++; n > max(0, width) {
			return s[:i]
		}
	}
	return s
}
