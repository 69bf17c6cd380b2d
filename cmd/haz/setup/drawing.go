package setup

import (
	"fmt"
	"path"
	"strings"

	"github.com/charmbracelet/x/ansi"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/layout"
	"github.com/haz-build/haz/report"
)

// drawing is how the screens of `haz init` are drawn.
type drawing struct {
	dir           string
	width, height int
	ascii         bool
	palette       report.Palette
}

const (
	treeKeys    = "arrows move, fold · space state · enter commit · q quit · ? help · h hidden"
	confirmKeys = "Write this? y write · n do not · b back to the tree"
	// In a narrow window.
	treeKeysShort    = "space state · enter · q quit · ? help"
	confirmKeysShort = "Write this? y · n · b back"
)

var helpLines = []string{
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
func (l drawing) screen(s state) string {
	head, body, foot := l.parts(s)
	room := max(1, l.height-len(head)-len(foot))
	if len(body) > room {
		body = l.window(s, body, room)
	}
	lines := append(append(head, body...), foot...)
	for i := range lines {
		lines[i] = ansi.Truncate(lines[i], l.width, "")
	}
	return strings.Join(lines, "\n")
}

// parts are the lines of a screen; of head and foot, as many as leave room for the body. A small window gives up the head
// first, then, from the end, what stands below the body; a question or a reason stays.
func (l drawing) parts(s state) (head, body, foot []string) {
	head = []string{l.palette.Bold("haz init: make this a workspace"), l.palette.Dim(diag.Escape(l.dir)), ""}
	switch {
	case s.help:
		body = helpLines
	case s.draft != nil:
		body, foot = l.confirmation(s.draft), []string{"", l.keys(confirmKeys, confirmKeysShort)}
	default:
		body, foot = l.tree(s), []string{l.button(s), l.palette.Yellow(diag.Escape(s.status)), l.palette.Dim(l.keys(treeKeys, treeKeysShort))}
	}
	if l.height >= len(head)+len(foot)+3 {
		return head, body, foot
	}
	if s.draft != nil && !s.help {
		foot = foot[1:]
	} else if len(foot) > 0 && s.status == "" {
		foot = append(foot[:1], foot[2:]...)
	}
	for len(foot) > 1 && len(foot) >= l.height {
		if s.status != "" && len(foot) == 2 {
			foot = foot[1:]
		} else {
			foot = foot[:len(foot)-1]
		}
	}
	if len(foot) >= l.height {
		foot = nil
	}
	return nil, body, foot
}

// window is the part of a body that is shown: of the tree the rows around the cursor, of a text what was scrolled to.
func (l drawing) window(s state, body []string, room int) []string {
	if !s.help && s.draft == nil {
		focus := len(body) - 1
		for i, r := range s.rows() {
			if r.path == s.cursor {
				focus = i
			}
		}
		from := min(max(0, focus-room/2), len(body)-room)
		return body[from : from+room]
	}
	if room == 1 {
		return body[:1]
	}
	from := 0
	if !s.help {
		from = min(s.scroll, len(body)-room)
	}
	shown := append([]string{}, body[from:from+room]...)
	if left := len(body) - from - room; left > 0 {
		more := fmt.Sprintf("... %d more lines", left+1)
		if !s.help {
			more += " (down)"
		}
		shown[room-1] = l.palette.Dim(more)
	}
	return shown
}

// scrollMax is how far a state can be scrolled.
func (l drawing) scrollMax(s state) int {
	if s.draft == nil {
		return 0
	}
	head, body, foot := l.parts(s)
	return max(0, len(body)-max(1, l.height-len(head)-len(foot)))
}

// keys is the line of keys that fits the window.
func (l drawing) keys(long, short string) string {
	text := long
	if ansi.StringWidth(long) > l.width {
		text = short
	}
	if l.ascii {
		return strings.ReplaceAll(text, "·", "|")
	}
	return text
}

func (l drawing) tree(s state) (lines []string) {
	for _, r := range s.rows() {
		lines = append(lines, l.row(s, r))
	}
	return lines
}

func (l drawing) row(s state, r row) string {
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

func (l drawing) button(s state) string {
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

func (l drawing) confirmation(p *Draft) []string {
	lines := []string{l.palette.Bold(layout.WorkspaceFile[1:])}
	for _, line := range strings.Split(strings.TrimSuffix(string(p.Workspace), "\n"), "\n") {
		lines = append(lines, "    "+line)
	}
	for _, at := range p.spelled {
		lines = append(lines, "  "+diag.Escape(at)+" is listed directory by directory: a pattern would match others, too")
	}
	for _, f := range p.Create {
		name, _, _ := strings.Cut(string(f.Data), "\n")
		lines = append(lines, l.palette.Bold(FileName(f.Root))+"  new, "+name)
	}
	for _, root := range p.existing {
		lines = append(lines, l.palette.Bold(FileName(root))+"  exists, stays as it is")
		lines = append(lines, offered(p.offers[root])...)
	}
	return lines
}

// offered is a line for each of some tasks: its name, and what it is for. Of very many, the first ones.
func offered(tasks []task) (lines []string) {
	const most = 20
	width := 0
	for _, t := range tasks[:min(most, len(tasks))] {
		width = max(width, len(t.name)) // names are ASCII
	}
	for i, t := range tasks {
		if i == most {
			return append(lines, fmt.Sprintf("    ... and %d more tasks", len(tasks)-most))
		}
		lines = append(lines, strings.TrimRight(fmt.Sprintf("    %-*s  %s", width, t.name, diag.Escape(t.brief)), " "))
	}
	return lines
}

// FileName is the haz.yml of a project, as people see it from the workspace.
func FileName(root string) string {
	return diag.Escape(strings.TrimPrefix(root, "/")) + "/" + layout.ProjectFile
}
