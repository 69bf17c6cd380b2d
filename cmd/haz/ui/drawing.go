package ui

import (
	"fmt"
	"strings"
	"time"

	"github.com/charmbracelet/x/ansi"

	"github.com/haz-build/haz/report"
	"github.com/haz-build/haz/workspace"
)

// drawing is how the view is drawn in a window.
type drawing struct {
	width, height int
}

const (
	// In a window as wide as this the log stands beside the list; in one as high as that below it; else one of them is shown.
	wide = 100
	high = 20

	listWidth = 40
)

var helpLines = []string{
	"up, down, j, k   select a task; g, G the first, the last",
	"enter, l, right  its log; esc and left go back to the list",
	"                 there: arrows, page up and down, space, b, g, G",
	"/                search in the log; n, N the next, the one before",
	"f                follow: what begins, and the end of the log",
	"r                restart the selected task",
	"c                cancel the selected task, and what needs it",
	"q, Ctrl+C        stop the run; again to kill",
	"Ctrl+Z           stand still, with all tasks",
}

var watchHelpLines = []string{
	"r                also: run again, where none is selected that runs",
	"a                carry everything out again",
	"p                changes run nothing until p is pressed again",
	"q                leave; Ctrl+C leaves with exit code 130",
}

// screen draws a state: as many lines as the window has, none wider than it.
func (d drawing) screen(s *state, now time.Time) string {
	head, foot := []string{d.header(s, now)}, []string{d.footer(s)}
	room := d.height - len(head) - len(foot)
	if room < 1 { // a line or two: what is asked, or how things stand
		if s.typing || s.status != "" {
			head = nil
		} else {
			foot = nil
		}
		room = max(0, d.height-len(head)-len(foot))
	}
	lines := append(head, d.body(s, now, room)...)
	lines = append(lines, foot...)
	for i := range lines {
		lines[i] = ansi.Truncate(lines[i], d.width, "")
	}
	return strings.Join(lines[:min(len(lines), max(1, d.height))], "\n")
}

func (d drawing) body(s *state, now time.Time, room int) (lines []string) {
	switch {
	case room == 0:
		return nil
	case s.help:
		lines = append([]string{}, helpLines...)
		if s.watch {
			lines = append(lines, watchHelpLines...)
		}
		lines = append(lines, "", "any key closes this")
	case d.width >= wide:
		list, text := d.list(s, now, listWidth-2, room), d.log(s, d.width-listWidth-1, room)
		for i := range room {
			lines = append(lines, fit(list[i], listWidth-2)+" "+s.look.Palette.Dim(bar(s))+" "+text[i])
		}
	case d.height >= high:
		rows := min(len(s.rows), room*2/5)
		lines = append(d.list(s, now, d.width, rows), d.log(s, d.width, room-rows)...)
	case s.inLog:
		lines = d.log(s, d.width, room)
	default:
		s.page = max(1, room-1)
		lines = d.list(s, now, d.width, room)
	}
	for len(lines) < room {
		lines = append(lines, "")
	}
	return lines[:room]
}

func bar(s *state) string {
	if s.look.Glyphs == report.GlyphSet(true) {
		return "|"
	}
	return "│"
}

// fit is a text that takes exactly that many columns.
func fit(text string, width int) string {
	text = ansi.Truncate(text, width, "")
	return text + strings.Repeat(" ", max(0, width-ansi.StringWidth(text)))
}

func (d drawing) header(s *state, now time.Time) string {
	p, n := s.look.Palette, s.counts()
	ended := n[completed] + n[cached] + n[failed] + n[skipped] + n[cancelled]
	text := p.Bold("haz") + fmt.Sprintf(" %d/%d", ended, len(s.rows)-1)
	if !s.started.IsZero() {
		until := now
		if !s.ended.IsZero() {
			until = s.ended
		}
		text += p.Dim(" " + report.Duration(until.Sub(s.started)))
	}
	for _, part := range []struct {
		n     int
		word  string
		paint func(string) string
	}{{n[failed], "failed", p.Red}, {n[running], "running", p.Bold}, {n[ready], "ready", p.Green}, {n[cancelled], "cancelled", p.Yellow}, {n[skipped], "skipped", p.Yellow}, {n[cached], "cached", p.Green}} {
		if part.n > 0 {
			text += ", " + part.paint(fmt.Sprintf("%d %s", part.n, part.word))
		}
	}
	switch {
	case s.paused:
		text += p.Yellow(" paused")
	case s.watch && !s.ended.IsZero():
		text += p.Dim(" waiting for changes")
	}
	return text
}

func (d drawing) footer(s *state) string {
	p := s.look.Palette
	switch {
	case s.typing:
		return "/" + s.search
	case s.status != "":
		return p.Yellow(clean([]byte(s.status)))
	case s.inLog:
		return p.Dim("esc list  / search  n N  f follow  g G  ? help")
	case s.watch:
		return p.Dim("enter log  r restart  c cancel  a all  p pause  q leave  ? help")
	}
	return p.Dim("enter log  r restart  c cancel  q stop  ? help")
}

// list draws the rows around the cursor.
func (d drawing) list(s *state, now time.Time, width, room int) (lines []string) {
	from := min(max(0, s.cursor-room/2), max(0, len(s.rows)-room))
	for i := from; i < from+room; i++ {
		if i >= len(s.rows) {
			lines = append(lines, "")
			continue
		}
		lines = append(lines, d.row(s, s.rows[i], i == s.cursor, now, width))
	}
	return lines
}

func (d drawing) row(s *state, r *row, selected bool, now time.Time, width int) string {
	p, g := s.look.Palette, s.look.Glyphs
	mark, took := " ", ""
	switch r.phase {
	case running:
		mark, took = p.Bold(">"), report.Duration(now.Sub(r.started))
	case ready:
		mark, took = p.Green(">"), "ready "+report.Duration(now.Sub(r.started))
	case completed:
		mark, took = p.Green(g.Done), report.Duration(r.ended.Sub(r.started))
	case cached:
		mark, took = p.Green(g.Cached), "cached"
	case failed:
		mark, took = p.Red(g.Failed), report.Duration(r.ended.Sub(r.started))
	case skipped:
		mark, took = p.Yellow(g.Skipped), "skipped"
	case cancelled:
		mark, took = p.Yellow(g.Cancelled), "cancelled"
	}
	if r.again > 0 && r.works() {
		took = fmt.Sprintf("#%d %s", r.again+1, took)
	}
	name := r.task.String()
	if r.task == (workspace.TaskID{}) {
		name, mark, took = "haz", g.Dot, ""
	}
	room := width - 4 - ansi.StringWidth(took) - 1
	if room < 8 { // what a task is called before how long it took
		took, room = "", width-4
	}
	name = fit(shorten(name, room), max(0, room))
	cursor := "  "
	if selected {
		cursor = "* "
		name = p.Bold(name)
		if s.inLog {
			cursor = "- "
		}
	}
	text := cursor + mark + " " + name
	if took != "" {
		text += " " + p.Dim(took)
	}
	return text
}

// shorten is the end of a name that does not fit, since that tells tasks apart.
func shorten(name string, width int) string {
	if w := ansi.StringWidth(name); w > width && width > 2 {
		return ".." + ansi.TruncateLeft(name, w-width+2, "")
	}
	return name
}

// log draws the log of the task under the cursor, with its name above.
func (d drawing) log(s *state, width, room int) (lines []string) {
	if room < 1 {
		return nil
	}
	p, r := s.look.Palette, s.rows[s.cursor]
	title := r.task.String()
	if r.task == (workspace.TaskID{}) {
		title = "what haz says"
	}
	s.page = max(1, room-1)
	first := s.first()
	more := ""
	switch below := len(r.log.lines) - first - s.page; {
	case below > 0:
		more = fmt.Sprintf(" (%d more lines)", below)
	case s.follow:
		more = " (following)"
	}
	if r.log.dropped > 0 && first == 0 {
		more = fmt.Sprintf(" (%d lines before are not kept)", r.log.dropped)
	}
	line := "-- "
	if s.inLog {
		line = "== "
	}
	lines = append(lines, p.Dim(line)+p.Bold(shorten(title, max(0, width-3)))+p.Dim(more))
	for i := first; i < first+s.page; i++ {
		if i >= len(r.log.lines) {
			lines = append(lines, "")
			continue
		}
		lines = append(lines, d.line(s, r.log, i, width))
	}
	return lines[:room]
}

func (d drawing) line(s *state, l *log, i, width int) string {
	text := l.lines[i]
	if !s.look.Palette.On {
		text = ansi.Strip(text)
	}
	lead := ""
	switch {
	case s.search == "" || s.typing:
	case s.hit == l.dropped+i+1:
		lead = s.look.Palette.Yellow("> ")
	case s.matches(text):
		lead = s.look.Palette.Yellow("| ")
	default:
		lead = "  "
	}
	if s.left > 0 {
		text = ansi.TruncateLeft(text, s.left, "")
	}
	return lead + ansi.Truncate(text, width-len(ansi.Strip(lead)), "")
}
