package main

import (
	"context"
	"errors"
	"os"

	tea "charm.land/bubbletea/v2"

	"github.com/haz-build/haz/cmd/haz/setup"
	"github.com/haz-build/haz/cmd/haz/streams"
	"github.com/haz-build/haz/report"
)

// panicScreen is `haz init` with a defect: u makes it panic when it handles a key, v when it draws.
func panicScreen() {
	w := &world{environ: os.Environ(), env: os.Getenv, patience: &streams.Patience{}}
	w.stdout, w.stderr = streams.Open(os.Stdout, w.patience), streams.Open(os.Stderr, w.patience)
	v := &invocation{world: w, ctx: context.Background(), errs: report.Stream{W: os.Stderr}}
	m := setup.New(v.ctx, "/", false, report.Palette{})
	err := v.runScreen(&defective{Model: m})
	var code exit
	if errors.As(err, &code) {
		os.Exit(int(code))
	}
	os.Exit(1)
}

type defective struct {
	tea.Model
	draws bool
}

func (d *defective) Update(msg tea.Msg) (tea.Model, tea.Cmd) {
	if k, ok := msg.(tea.KeyPressMsg); ok {
		switch k.String() {
		case "u":
			panic("a defect\nin a key")
		case "v":
			d.draws = true
			return d, nil
		}
	}
	next, cmd := d.Model.Update(msg)
	d.Model = next
	return d, cmd
}

func (d *defective) View() tea.View {
	if d.draws {
		panic("a defect in the drawing")
	}
	return d.Model.View()
}
