package setup

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/report"
	"github.com/haz-build/haz/workspace/git"
)

// Screen is the terminal around the model: it turns keys into events and effects into deeds.
type Screen struct {
	ctx   context.Context
	state state
	look  drawing
	end   effect // how the screen was left
}

// Interrupted is a signal that ends the screen.
type Interrupted struct{ Code int }

// New is the screen for a directory of the machine, as it is now.
func New(ctx context.Context, dir string, ascii bool, palette report.Palette) *Screen {
	return &Screen{ctx: ctx, state: newState(list(ctx, dir, "/")), look: drawing{dir: dir, ascii: ascii, palette: palette}}
}

// End is how the screen was left: with an exit code, or with what is to be written; nil for nothing.
func (m *Screen) End() (code int, write *Draft) { return m.end.code, m.end.write }

func (m *Screen) Init() tea.Cmd { return nil }

func (m *Screen) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.look.width, m.look.height = msg.Width, msg.Height
	case Interrupted:
		m.end = effect{leave: true, code: msg.Code}
		return m, tea.Quit
	case tea.KeyPressMsg:
		return m, m.handle(event{key: msg.String()})
	}
	return m, nil
}

// handle steps the model, and goes on with the answers until nothing more is asked.
func (m *Screen) handle(e event) tea.Cmd {
	for {
		var f effect
		m.state, f = m.state.step(e)
		switch {
		case f.leave:
			m.end = f
			return tea.Quit
		case f.read != "":
			e = event{key: f.key, read: f.read, dir: list(m.ctx, m.look.dir, f.read)}
		case f.prepare:
			draft, err := prepare(m.ctx, m.look.dir, m.state)
			e = event{drafted: draft}
			if err != nil {
				e = event{problem: err.Error()}
			}
		case f.bell:
			return tea.Raw("\a")
		default:
			m.state.scroll = min(m.state.scroll, m.look.scrollMax(m.state))
			return nil
		}
	}
}

func (m *Screen) View() tea.View {
	v := tea.NewView("")
	if m.look.width > 0 && m.look.height > 0 {
		v = tea.NewView(m.look.screen(m.state))
	}
	v.AltScreen = true
	return v
}

// list reads the directories in a directory, and links to some.
func list(ctx context.Context, dir, at string) folder {
	host := filepath.Join(dir, at)
	machine := fsys.Machine()
	entries, err := machine.List(host)
	if err != nil {
		return folder{trouble: fsys.Cause(err).Error()}
	}
	var d folder
	var names []string
	slices.SortFunc(entries, func(a, b fsys.Entry) int { return strings.Compare(a.Name, b.Name) })
	for _, e := range entries {
		if e.Kind == fsys.Unknown {
			info, err := machine.Lstat(filepath.Join(host, e.Name))
			if err != nil {
				continue
			}
			e.Kind = info.Kind
		}
		c := child{name: e.Name, link: e.Kind == fsys.Link}
		if c.link {
			info, err := machine.StatInfo(filepath.Join(host, e.Name))
			if err != nil || info.Kind != fsys.Dir {
				continue
			}
		} else if e.Kind != fsys.Dir {
			continue
		}
		d.children = append(d.children, c)
		if !c.link { // git refuses to look beyond a link, and with it the whole question
			names = append(names, c.name)
		}
	}
	ignored := git.Ignored(ctx, host, os.Environ(), names)
	for i := range d.children {
		d.children[i].ignored = ignored[d.children[i].name]
	}
	return d
}
