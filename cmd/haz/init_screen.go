package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	tea "charm.land/bubbletea/v2"

	"github.com/haz-build/haz"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/report"
	"github.com/haz-build/haz/workspace/git"
)

// initScreen is the terminal around the model: it turns keys into events and effects into deeds.
type initScreen struct {
	ctx   context.Context
	state initState
	look  initLook
	end   initEffect // how the screen was left
}

// interrupted is a signal that ends the screen.
type interrupted struct{ code int }

func (m *initScreen) Init() tea.Cmd { return nil }

func (m *initScreen) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	switch msg := msg.(type) {
	case tea.WindowSizeMsg:
		m.look.width, m.look.height = msg.Width, msg.Height
	case interrupted:
		m.end = initEffect{leave: true, code: msg.code}
		return m, tea.Quit
	case tea.KeyPressMsg:
		return m, m.handle(initEvent{key: msg.String()})
	}
	return m, nil
}

// handle steps the model, and goes on with the answers until nothing more is asked.
func (m *initScreen) handle(e initEvent) tea.Cmd {
	for {
		var f initEffect
		m.state, f = m.state.step(e)
		switch {
		case f.leave:
			m.end = f
			return tea.Quit
		case f.read != "":
			e = initEvent{key: f.key, read: f.read, dir: listInit(m.ctx, m.look.dir, f.read)}
		case f.prepare:
			plan, err := prepareInit(m.ctx, m.look.dir, m.state)
			e = initEvent{planned: plan}
			if err != nil {
				e = initEvent{problem: err.Error()}
			}
		case f.bell:
			return tea.Raw("\a")
		default:
			m.state.scroll = min(m.state.scroll, m.look.scrollMax(m.state))
			return nil
		}
	}
}

func (m *initScreen) View() tea.View {
	v := tea.NewView("")
	if m.look.width > 0 && m.look.height > 0 {
		v = tea.NewView(m.look.screen(m.state))
	}
	v.AltScreen = true
	return v
}

// listInit reads the directories in a directory, and links to some.
func listInit(ctx context.Context, dir, at string) initDir {
	host := filepath.Join(dir, at)
	machine := fsys.Machine()
	entries, err := machine.List(host)
	if err != nil {
		return initDir{trouble: fsys.Cause(err).Error()}
	}
	var d initDir
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
		c := initChild{name: e.Name, link: e.Kind == fsys.Link}
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

// initInteractively shows the screens, and writes what was confirmed.
func (v *invocation) initInteractively() error {
	m := &initScreen{ctx: v.ctx, state: newInitState(listInit(v.ctx, v.dir, "/")),
		look: initLook{dir: v.dir, ascii: !report.SpeaksUTF8(v.env), palette: v.output(v.stdout).Palette}}
	if err := v.runScreen(m); err != nil {
		return err
	}
	switch {
	case m.end.code != 0:
		return exit(m.end.code)
	case m.end.write == nil:
		v.out.print("nothing was written\n")
		return nil
	}
	if err := haz.InitProjects(v.dir, m.end.write.create, m.end.write.workspace); err != nil {
		return initRefused(err)
	}
	for _, f := range m.end.write.create {
		v.out.print("created " + projectFileName(f.Root) + "\n")
	}
	v.out.print("created .haz/workspace.yml\n")
	v.noteUnreadProject()
	return nil
}

// runScreen shows a model until it is over, and gives the terminal back on every way out.
func (v *invocation) runScreen(m tea.Model) error {
	g := &guarded{Model: m}
	// Signals are ours, so that each has its exit code. The library catches panics of its own.
	g.program = tea.NewProgram(g, tea.WithContext(v.ctx), tea.WithInput(os.Stdin), tea.WithOutput(v.stdout.f), tea.WithEnvironment(v.environ),
		tea.WithoutSignalHandler())
	signals := watchSignals(nil, 0)
	defer signals.close()
	over := make(chan struct{})
	defer close(over)
	go func() {
		select {
		case i := <-signals.interrupts:
			g.program.Send(interrupted{128 + i.Number})
		case <-over:
		}
	}()
	_, err := g.program.Run()
	switch {
	case g.caught != "":
		v.tell(internalError(g.caught))
		return exit(2)
	case err != nil:
		return fmt.Errorf("the terminal: %w", err)
	}
	return nil
}

// guarded is a model whose panics end the screen as a key would. The library restores the terminal after a panic, too, but
// shows people a stack.
type guarded struct {
	tea.Model
	program *tea.Program
	caught  string // the first panic
}

func (g *guarded) Update(msg tea.Msg) (next tea.Model, cmd tea.Cmd) {
	defer g.catch(func() { next, cmd = g, tea.Quit })
	if g.caught == "" {
		g.Model, cmd = g.Model.Update(msg)
	}
	return g, cmd
}

func (g *guarded) View() (v tea.View) {
	defer g.catch(func() {
		v = tea.NewView("")
		go g.program.Quit() // it waits for the loop that asked for this view
	})
	if g.caught == "" {
		return g.Model.View()
	}
	return tea.NewView("")
}

func (g *guarded) catch(leave func()) {
	if r := recover(); r != nil {
		g.caught = strings.ReplaceAll(fmt.Sprint(r), "\n", " ") + " (" + panicPlace() + ")"
		leave()
	}
}
