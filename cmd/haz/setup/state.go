// Package setup is the screens of `haz init`: what keys do (state.go), what would be written (draft.go), how it is drawn
// (drawing.go), and the terminal around them (screen.go).
//
// State is a pure function: (state, event) to (state, effect). It reads no directory: what it needs to
// know it asks for with an effect, and the same key comes back with the answer. States are values; a step changes none that
// somebody else holds.
package setup

import (
	"maps"
	"path"
	"slices"
	"strings"
)

// state is all that the screens show.
type state struct {
	dirs     map[string]folder // directories that were read, by path: "/" is the current directory
	marks    map[string]mark   // rows with a state other than none
	expanded map[string]bool
	cursor   string // path of a row; "" is the button
	hidden   bool   // hidden rows are shown
	help     bool
	status   string
	draft    *Draft // not nil: the confirmation screen
	scroll   int    // lines of the confirmation above the window; its drawing knows how many there can be
}

type mark uint8

const (
	markNone mark = iota
	markProject
	markParent
)

// folder is what was found in a directory.
type folder struct {
	children []child // byte order
	trouble  string  // why it cannot be read
}

// child is a directory in a directory, or a link to one.
type child struct {
	name    string
	ignored bool // by git
	link    bool // a link is no row, but a glob matches it
}

func (c child) hidden() bool { return c.ignored || strings.HasPrefix(c.name, ".") }

// event is a key (as the terminal library spells it), or the answer to an effect. Exactly one field is set, apart from
// dir and key, which come together.
type event struct {
	key     string
	read    string // the directory dir is about; then key is handled again
	dir     folder
	drafted *Draft
	problem string // instead of a draft
}

// effect is what is to be done after a step.
type effect struct {
	bell    bool
	read    string // read this directory, and come back with the key
	key     string
	prepare bool // make a draft of the selection, and come back with it or the problem
	leave   bool // the screen is over
	code    int
	write   *Draft // leave, and write this
}

func newState(root folder) state {
	return state{dirs: map[string]folder{"/": root}, marks: map[string]mark{}, expanded: map[string]bool{"/": true}, cursor: "/"}
}

func (s state) step(e event) (state, effect) {
	switch {
	case e.read != "":
		s.dirs = maps.Clone(s.dirs)
		s.dirs[e.read] = e.dir
		return s.press(e.key)
	case e.drafted != nil:
		s.draft, s.status, s.scroll = e.drafted, "", 0
		return s, effect{}
	case e.problem != "":
		return s.refuse(e.problem)
	}
	return s.press(e.key)
}

func (s state) press(key string) (state, effect) {
	switch {
	case key == "ctrl+c":
		return s, effect{leave: true, code: 130}
	case s.help:
		s.help = false
		return s, effect{}
	case s.draft != nil:
		return s.confirm(key)
	}
	s.status = ""
	switch key {
	case "q", "esc":
		return s, effect{leave: true}
	case "?":
		s.help = true
	case "up":
		s.cursor = s.beside(-1)
	case "down":
		s.cursor = s.beside(1)
	case "right":
		return s.expand()
	case "left":
		if s.cursor != "" && s.expanded[s.cursor] {
			s.expanded = maps.Clone(s.expanded)
			delete(s.expanded, s.cursor)
		}
	case "space":
		return s.next()
	case "enter":
		return s, effect{prepare: true}
	case "h", "H":
		s.hidden = !s.hidden
		s.cursor = s.nearestVisible()
	}
	return s, effect{}
}

func (s state) confirm(key string) (state, effect) {
	switch key {
	case "y":
		return s, effect{leave: true, write: s.draft}
	case "n", "q", "esc":
		return s, effect{leave: true}
	case "b":
		s.draft = nil
	case "down":
		s.scroll++
	case "up":
		s.scroll = max(0, s.scroll-1)
	case "?":
		s.help = true
	}
	return s, effect{}
}

// refuse says why nothing happens.
func (s state) refuse(why string) (state, effect) {
	s.status = why
	return s, effect{bell: true}
}

// An row is a visible row of the tree.
type row struct {
	path    string
	depth   int
	ignored bool
}

// rows is the visible rows in order, without the button.
func (s state) rows() []row { return s.below(nil, row{path: "/"}) }

func (s state) below(rows []row, r row) []row {
	rows = append(rows, r)
	if !s.expanded[r.path] {
		return rows
	}
	for _, c := range s.dirs[r.path].children {
		if !c.link && (s.hidden || !c.hidden()) {
			rows = s.below(rows, row{path.Join(r.path, c.name), r.depth + 1, r.ignored || c.ignored})
		}
	}
	return rows
}

// beside is the row or button that many lines further, around the ends.
func (s state) beside(by int) string {
	paths := []string{}
	for _, r := range s.rows() {
		paths = append(paths, r.path)
	}
	paths = append(paths, "")
	i := slices.Index(paths, s.cursor) + by
	return paths[(i+len(paths))%len(paths)]
}

// nearestVisible is the row of the cursor, or the next visible one above it in the tree.
func (s state) nearestVisible() string {
	rows := s.rows()
	for at := s.cursor; at != ""; at = path.Dir(at) {
		if slices.ContainsFunc(rows, func(r row) bool { return r.path == at }) {
			return at
		}
	}
	return ""
}

// visible counts the directories in a directory that a person chooses from: hidden ones only when they are shown.
func (d folder) visible(hidden bool) (shown, all int) {
	for _, c := range d.children {
		if !c.link {
			all++
			if hidden || !c.hidden() {
				shown++
			}
		}
	}
	return shown, all
}

func (s state) expand() (state, effect) {
	at := s.cursor
	if at == "" || s.expanded[at] {
		return s, effect{}
	}
	d, ok := s.dirs[at]
	if !ok {
		return s, effect{read: at, key: "right"}
	}
	shown, all := d.visible(s.hidden)
	switch {
	case d.trouble != "":
		return s.refuse(at + " cannot be read: " + d.trouble)
	case all == 0:
		return s.refuse(at + " has no subdirectories")
	case shown == 0:
		return s.refuse(at + " has hidden subdirectories only; h shows them")
	}
	s.expanded = maps.Clone(s.expanded)
	s.expanded[at] = true
	return s, effect{}
}

// locked reports whether a row stands below a projects parent, which decides about it (AUX-004).
func (s state) locked(at string) bool {
	for at != "/" {
		if at = path.Dir(at); s.marks[at] == markParent {
			return true
		}
	}
	return false
}

// next goes to the next state of the row: none, project, projects parent (AUX-004). The root is no project by an entry here.
func (s state) next() (state, effect) {
	at := s.cursor
	if at == "" {
		return s, effect{}
	}
	if s.locked(at) {
		return s.refuse("a directory above is a projects parent, which decides about this one")
	}
	to := (s.marks[at] + 1) % (markParent + 1)
	if at == "/" && to == markProject {
		to = markParent
	}
	if to == markParent {
		d, ok := s.dirs[at]
		if !ok {
			return s, effect{read: at, key: "space"}
		}
		if len(chosen(d)) == 0 {
			why := " has no subdirectories, so it cannot be a projects parent"
			if _, all := d.visible(true); all > 0 {
				why = " has hidden subdirectories only, so it cannot be a projects parent"
			}
			return s.mark(at, markNone).refuse(at + why)
		}
	}
	return s.mark(at, to), effect{}
}

// mark gives a row a state. Below a parent nothing else is chosen, and leaving that state does not bring it back.
func (s state) mark(at string, to mark) state {
	s.marks = maps.Clone(s.marks)
	delete(s.marks, at)
	if to != markNone {
		s.marks[at] = to
	}
	if to == markParent {
		maps.DeleteFunc(s.marks, func(p string, _ mark) bool {
			return p != at && strings.HasPrefix(p, strings.TrimSuffix(at, "/")+"/")
		})
	}
	return s
}

// chosen is the children of a projects parent that become projects: what is not hidden, whether or not it is shown.
func chosen(d folder) []string {
	var names []string
	for _, c := range d.children {
		if !c.link && !c.hidden() {
			names = append(names, c.name)
		}
	}
	return names
}

// projects is the root of every project of the selection, in byte order (AUX-005).
func (s state) projects() []string {
	var roots []string
	for at, m := range s.marks {
		switch m {
		case markProject:
			roots = append(roots, at)
		case markParent:
			for _, n := range chosen(s.dirs[at]) {
				roots = append(roots, path.Join(at, n))
			}
		}
	}
	slices.Sort(roots)
	return roots
}
