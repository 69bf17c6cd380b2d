package main

import (
	"fmt"
	"path"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/report"
)

// initLook is how the screens of `haz init` are drawn.
type initLook struct {
	dir           string
	width, height int
	ascii         bool
	palette       report.Palette
}

const (
	initKeys    = "arrows move, fold · space state · enter commit · q quit · ? help · h hidden"
	confirmKeys = "y write · n do not · b back to the tree"
)

var initHelp = []string{
	"Space goes through the states of a directory:", "",
	"  none             it is no project",
	"  project          it is one",
	"  projects parent  each directory in it is one", "",
	"Up, Down      move; the button is the last row",
	"Right, Left   open, close a directory",
	"Enter         show what would be written, and ask",
	"h             show or hide hidden directories",
	"q, Esc        leave; nothing is written",
	"Ctrl+C        the same, everywhere, with exit code 130", "",
	"any key closes this",
}

// screen draws a state: as many lines as the screen has, none wider than it.
func (l initLook) screen(s initState) string {
	var head, body, foot []string
	focus := 0
	head = []string{l.palette.Bold("haz init: make this directory a workspace"), l.palette.Dim(diag.Escape(l.dir)), ""}
	switch {
	case s.help:
		body = initHelp
	case s.plan != nil:
		body, foot = l.confirmation(s.plan), []string{"", "Write this? " + confirmKeys}
	default:
		body, focus = l.tree(s)
		foot = []string{l.button(s), l.palette.Yellow(diag.Escape(s.status)), l.palette.Dim(l.plain(initKeys))}
	}
	// A small window gives up the head first, and shows the part of the body that the cursor is in.
	if l.height < len(head)+len(foot)+3 {
		head = nil
	}
	room := max(1, l.height-len(head)-len(foot))
	if len(body) > room {
		from := min(max(0, focus-room/2), len(body)-room)
		body = body[from : from+room]
	}
	lines := append(append(head, body...), foot...)
	if len(lines) > l.height {
		lines = lines[len(lines)-l.height:]
	}
	for i := range lines {
		lines[i] = ansi.Truncate(lines[i], l.width, "")
	}
	return strings.Join(lines, "\n")
}

func (l initLook) plain(text string) string {
	if l.ascii {
		return strings.ReplaceAll(text, "·", "|")
	}
	return text
}

func (l initLook) tree(s initState) (lines []string, focus int) {
	for i, r := range s.rows() {
		if r.path == s.cursor {
			focus = i
		}
		lines = append(lines, l.row(s, r))
	}
	if s.cursor == "" {
		focus = len(lines) - 1
	}
	return lines, focus
}

func (l initLook) row(s initState, r initRow) string {
	marks, folds := [...]string{"□", "■", "▣"}, [...]string{"▸", "▾"}
	if l.ascii {
		marks, folds = [...]string{"[ ]", "[x]", "[*]"}, [...]string{"+", "-"}
	}
	fold := folds[0]
	if s.expanded[r.path] {
		fold = folds[1]
	} else if d, ok := s.dirs[r.path]; ok && len(d.children) == 0 {
		fold = " "
	}
	name := diag.Escape(path.Base(r.path))
	if r.ignored {
		name = l.palette.Yellow(name) + " (git-ignored)"
	}
	word := [...]string{"", " (project)", " (projects parent)"}[s.marks[r.path]]
	text := strings.Repeat("  ", r.depth) + fold + " " + marks[s.marks[r.path]] + " " + name + word
	switch {
	case r.path == s.cursor:
		return l.palette.Bold("> " + text)
	case s.locked(r.path):
		return l.palette.Dim("  " + text)
	}
	return "  " + text
}

func (l initLook) button(s initState) string {
	n := len(s.projects())
	text := fmt.Sprintf("[ Commit selection (%d projects) ]", n)
	if n == 1 {
		text = "[ Commit selection (1 project) ]"
	}
	if s.cursor == "" {
		return l.palette.Bold("> " + text)
	}
	return "  " + text
}

func (l initLook) confirmation(p *initPlan) []string {
	lines := []string{l.palette.Bold(".haz/workspace.yml")}
	for _, line := range strings.Split(strings.TrimSuffix(string(p.workspace), "\n"), "\n") {
		lines = append(lines, "    "+line)
	}
	for _, at := range p.spelled {
		lines = append(lines, "  "+diag.Escape(at)+" is listed directory by directory: a pattern would match others, too")
	}
	for _, f := range p.create {
		name, _, _ := strings.Cut(string(f.Data), "\n")
		lines = append(lines, l.palette.Bold(projectFileName(f.Root))+"  new, "+name)
	}
	for _, root := range p.existing {
		lines = append(lines, l.palette.Bold(projectFileName(root))+"  exists, stays as it is")
	}
	return lines
}

// projectFileName is the haz.yml of a project, as people see it from the workspace.
func projectFileName(root string) string {
	return diag.Escape(strings.TrimPrefix(root, "/")) + "/haz.yml"
}
