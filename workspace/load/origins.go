package load

import (
	"strconv"

	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/config"
)

// Where the values of a task stand that are not in its own body. What a layer says is put together once, when it is made; tasks share it.

// keyed is a key with one value: what a layer says of it, and where.
type keyed struct {
	key  string
	says func(l *layer) (is bool, at config.Span, text string)
}

func flagOf(key string, of func(*config.Body) config.Bool) keyed {
	return keyed{key, func(l *layer) (bool, config.Span, string) {
		b := of(l.body)
		return b.Set, b.Span, strconv.FormatBool(b.Value)
	}}
}

func textOf(key string, of func(*config.Body) config.Text) keyed {
	return keyed{key, func(l *layer) (bool, config.Span, string) {
		t := of(l.body)
		return t.Set, t.Span, t.Value
	}}
}

// actions are the two of which a task has one, ofShell what is said of a shell, singles the other keys with one value.
var (
	actions = []keyed{
		{"command", func(l *layer) (bool, config.Span, string) { return l.body.Command.Set, l.body.Command.Span, "" }},
		{"shell", func(l *layer) (bool, config.Span, string) { return l.body.Shell.Set, l.body.Shell.Span, "" }},
	}
	ofShell = []keyed{
		textOf("shell_type", func(b *config.Body) config.Text { return b.ShellType }),
		{"shell_options", func(l *layer) (bool, config.Span, string) {
			return l.body.ShellOptions.Set, l.body.ShellOptions.Span, ""
		}},
		textOf("args", func(b *config.Body) config.Text { return b.Args }),
	}
	singles = []keyed{
		{"matrix", func(l *layer) (bool, config.Span, string) {
			if len(l.body.Matrix) == 0 {
				return false, config.Span{}, ""
			}
			return true, l.body.Matrix[0].Key.Span, ""
		}},
		{"mutex", func(l *layer) (bool, config.Span, string) {
			return l.body.Mutex.Set, l.body.Mutex.Span, l.body.Mutex.Name.Value
		}},
		flagOf("cache", func(b *config.Body) config.Bool { return b.Cache }),
		flagOf("incremental", func(b *config.Body) config.Bool { return b.Incremental }),
		flagOf("interactive", func(b *config.Body) config.Bool { return b.Interactive }),
		flagOf("tty", func(b *config.Body) config.Bool { return b.TTY }),
		textOf("timeout", func(b *config.Body) config.Text { return b.Timeout.Text }),
		{"retry", func(l *layer) (bool, config.Span, string) {
			return l.body.Retry.Set, l.body.Retry.Span, l.body.Retry.Times.Value
		}},
		{"if", func(l *layer) (bool, config.Span, string) {
			for _, t := range []config.Text{l.body.If.OS, l.body.If.Env, l.body.If.Exists} {
				if t.Set {
					return true, t.Span, ""
				}
			}
			return false, config.Span{}, ""
		}},
		{"service", func(l *layer) (bool, config.Span, string) { return l.body.Service.Set, l.body.Service.Span, "" }},
		{"description", func(l *layer) (bool, config.Span, string) { return l.body.Description.Set, l.body.Description.Span, "" }},
		flagOf("internal", func(b *config.Body) config.Bool { return b.Internal }),
		{"env.strict", func(l *layer) (bool, config.Span, string) {
			return l.strict.Set, l.strict.Span, strconv.FormatBool(l.strict.Value)
		}},
	}
)

// origins are those of what a task has of other layers than its nearest: one for each key, file and line.
func (m *merged) origins() []*workspace.Origin {
	if len(m.layers) < 2 {
		return nil
	}
	var out []*workspace.Origin
	one := func(list []keyed) {
		for _, s := range list {
			for _, l := range m.layers {
				if is, at, text := s.says(l); is {
					if l != m.own() {
						out = append(out, origin(l, s.key, at, text))
					}
					break
				}
			}
		}
	}
	if of := m.action(); of != nil {
		s := actions[0]
		if of.body.Shell.Set {
			s = actions[1]
		}
		if _, at, _ := s.says(of); of != m.own() {
			out = append(out, origin(of, s.key, at, ""))
		}
		if of.body.Shell.Set {
			one(ofShell)
		}
	}
	out = addOrigins(out, m, "inputs", m.inputs, func(p *config.Pattern) config.Text { return p.Text })
	out = addOrigins(out, m, "exclude", m.exclude, func(p *config.Pattern) config.Text { return p.Text })
	out = addOrigins(out, m, "outputs", m.outputs, func(p *config.Pattern) config.Text { return p.Text })
	out = addOrigins(out, m, "deps", m.deps, func(d *config.Dep) config.Text { return d.Task })
	out = addOrigins(out, m, "weakDeps", m.weakDeps, itself)
	out = addOrigins(out, m, "after", m.after, itself)
	out = addOrigins(out, m, "tools", m.tools, func(t *config.Tool) config.Text { return t.Name })
	if e := m.env; e != nil {
		out = addOrigins(out, m, "env.from_host", e.fromHost, itself)
		out = addOrigins(out, m, "env.pass", e.pass, itself)
		out = addOrigins(out, m, "env.files", e.files, itself)
		out = addOrigins(out, m, "env.override", e.override, func(p *config.Pair) config.Text { return p.Key })
	}
	if !m.standIn {
		one(singles)
	}
	return out
}

func itself(t *config.Text) config.Text { return *t }

func origin(l *layer, key string, at config.Span, text string) *workspace.Origin {
	o := &workspace.Origin{Key: key, Place: l.src.Place(at)}
	if text != "" {
		o.Items = []string{text}
	}
	return o
}

// addOrigins adds those of the items of a list. A part that no nearer layer has made smaller is the same in all tasks that have it.
func addOrigins[T any](out []*workspace.Origin, m *merged, key string, l list[T], text func(*T) config.Text) []*workspace.Origin {
	for i := range l {
		p := &l[i]
		if p.of == m.own() {
			continue
		}
		if !p.fewer {
			if known, ok := p.of.origins.Load(key); ok {
				out = append(out, known.([]*workspace.Origin)...)
				continue
			}
		}
		var mine []*workspace.Origin
		for k := range p.items {
			t := text(&p.items[k])
			at := p.of.src.Place(t.Span)
			if n := len(mine); n > 0 && mine[n-1].Place.Line == at.Line {
				mine[n-1].Items = append(mine[n-1].Items, t.Value)
			} else {
				mine = append(mine, &workspace.Origin{Key: key, Place: at, Items: []string{t.Value}})
			}
		}
		if !p.fewer {
			p.of.origins.Store(key, mine)
		}
		out = append(out, mine...)
	}
	return out
}
