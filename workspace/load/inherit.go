package load

import (
	"fmt"
	"sync"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace/config"
)

// With inherit: true a body is completed by the one that it wins over (haz::cfg::067): a project's own by that of the overlay which would have
// won without it, an overlay's by that of the next wider one, and so on while these say so, too.

// complete is base with the bodies of sources before it, the nearest first. Equal ones are one.
func (l *loader) complete(base *merged, sources []source) *merged {
	for i := len(sources) - 1; i >= 0; i-- {
		s := &sources[i]
		at := madeOf{s.task.Body, base}
		if l.completed[at] == nil {
			if l.completed == nil {
				l.completed = map[madeOf]*merged{}
			}
			l.completed[at] = base.with(&layer{src: s.src, body: s.task.Body, shared: !s.script, script: s.script, standIn: s.standIn, strict: s.task.Body.Env.Strict, overlay: s.name(), origins: &sync.Map{}})
		}
		base = l.completed[at]
	}
	return base
}

// chain orders what completes a body that inherits, the nearest first. Without an order it is nothing, which is told, and false.
func (l *loader) chain(c comparer, own *project, n string, s []source, mine source) (chain []source, ok bool) {
	rest, first := s, mine
	for mine.task.Body.Inherit.Value {
		if len(rest) == 0 {
			if script, there := own.scripts.source(n); there {
				return append(chain, script), true
			}
			if standIn, there := l.standIn(own, n, first, chain); there {
				return append(chain, standIn), true
			}
			if mine.overlay == nil || !l.completesNothing(mine, nil) {
				l.nothingToInherit(own, n, mine)
			}
			return chain, true
		}
		w := c.winner(rest)
		if w < 0 {
			l.collision(own.Project, n, rest, "what completes a task has to be one body: remove its inherit: true, or add a tag to the tagsFilter of the one that should")
			return nil, false
		}
		mine = rest[w]
		chain = append(chain, mine)
		rest = append(rest[:w:w], rest[w+1:]...)
	}
	return chain, true
}

// nothingToInherit reports inherit: true of a body that wins over no other.
func (l *loader) nothingToInherit(own *project, n string, mine source) {
	p := own.Project
	if l.noGraph || l.ws.Partial.Projects || l.ws.Partial.Tags {
		return // what there is to inherit is not known
	}
	d := diag.Diagnostic{Code: "haz::cfg::067", Place: mine.src.Place(mine.task.Body.Inherit.Span), KeyPath: mine.task.Body.KeyPath() + ".inherit", Project: p.Name}
	if mine.overlay == nil {
		d.Message, d.Project = fmt.Sprintf("task %s has nothing to inherit: no overlay gives project %s such a task", diag.Quote(n), diag.Quote(p.Name)), ""
	} else {
		d.Message = fmt.Sprintf("task %s has nothing to inherit: of the overlays of project %s no wider one has it", diag.Quote(n), diag.Quote(p.Name))
	}
	d.Hint = "remove inherit: true; defaults hold without it"
	var names []string
	if own.scripts != nil {
		names = append(names, own.scripts.names...)
	}
	for _, o := range l.overlays {
		if o.Name != mine.name() && o.file != nil && o.attaches(l, p) {
			for _, t := range o.file.Tasks {
				names = append(names, t.Name.Value)
			}
		}
	}
	if near := diag.Nearest(n, names); near != "" {
		d.Hint = "did you mean the task " + diag.Quote(near) + "? " + d.Hint
	}
	l.add(d)
}

// complete holds what bodies say together to the rules that each was held to.
func (b *builder) complete(m *merged, name config.Text) {
	action := m.action()
	if action == nil {
		inherits := len(m.overlays()) > 1 || m.own().overlay == "" && len(m.overlays()) > 0 // else that was told
		if inherits && m.nearest(func(c *config.Body) bool { return c.ActionFailed() }) == nil {
			b.diags = append(b.diags, diag.Diagnostic{Code: "haz::cfg::020", Place: b.src.Place(name.Span), Hint: `command: ["program", "argument"]    or    shell: "script"`,
				Message: "task " + diag.QuoteShort(name.Value) + " has neither command nor shell, and inherits none"})
		}
		return
	}
	if !action.body.Shell.Set {
		b.without(m, action, "haz::cfg::022", "shell_type", func(c *config.Body) (bool, config.Span) { return c.ShellType.Set, c.ShellType.Span })
		b.without(m, action, "haz::cfg::022", "shell_options", func(c *config.Body) (bool, config.Span) { return c.ShellOptions.Set, c.ShellOptions.Span })
		b.without(m, action, "haz::cfg::093", "args", func(c *config.Body) (bool, config.Span) { return c.Args.Set, c.Args.Span })
	}
	interactive := m.nearest(func(c *config.Body) bool { return c.Interactive.Set })
	if interactive != nil && interactive.body.Interactive.Value {
		b.beside(m, interactive, "cache", func(c *config.Body) config.Bool { return c.Cache })
		b.beside(m, interactive, "tty", func(c *config.Body) config.Bool { return c.TTY })
	}
	b.ofService(m)
}

// ofService reports what one body says and the service of another one rules out (haz::cfg::144).
func (b *builder) ofService(m *merged) {
	service := m.nearest(func(c *config.Body) bool { return c.Service.Set })
	if service == nil {
		return
	}
	for _, k := range []struct {
		key  string
		says func(*config.Body) (bool, config.Span)
	}{
		{"outputs", func(c *config.Body) (bool, config.Span) { return len(c.Outputs.Items) > 0, c.Outputs.Span }},
		{"cache", func(c *config.Body) (bool, config.Span) { return c.Cache.Value, c.Cache.Span }},
		{"interactive", func(c *config.Body) (bool, config.Span) { return c.Interactive.Value, c.Interactive.Span }},
		{"retry", func(c *config.Body) (bool, config.Span) { return c.Retry.Set, c.Retry.Span }},
		{"timeout", func(c *config.Body) (bool, config.Span) {
			return c.Timeout.Set && c.Timeout.Duration > 0, c.Timeout.Span
		}},
	} {
		l := m.nearest(func(c *config.Body) bool { is, _ := k.says(c); return is })
		if l == nil || l.defaults || l == service {
			continue
		}
		_, at := k.says(l.body)
		b.diags = append(b.diags, diag.Diagnostic{Code: "haz::cfg::144", Place: l.src.Place(at), KeyPath: l.body.KeyPath() + "." + k.key,
			Message: k.key + " and service of one task, by inheritance", Hint: "keep one of them, or say inherit: false",
			Related: []diag.Related{{Place: service.src.Place(service.body.Service.Span), Label: "service stands here"}}})
	}
}

// without reports what a nearer body says of a shell, where a command is inherited.
func (b *builder) without(m *merged, action *layer, code, key string, says func(*config.Body) (bool, config.Span)) {
	l := m.nearest(func(c *config.Body) bool { is, _ := says(c); return is })
	if l == nil || l.defaults || m.depth(l) >= m.depth(action) {
		return
	}
	_, at := says(l.body)
	b.diags = append(b.diags, diag.Diagnostic{Code: code, Place: l.src.Place(at), KeyPath: l.body.KeyPath() + "." + key,
		Message: key + " without shell: what is inherited is a command, which is run without any shell", Hint: "remove " + key + ", or write a shell of its own",
		Related: []diag.Related{{Place: action.src.Place(action.body.Command.Span), Label: "the command is here"}}})
}

// beside reports what a nearer body says and an inherited interactive: true rules out.
func (b *builder) beside(m *merged, interactive *layer, key string, says func(*config.Body) config.Bool) {
	l := m.nearest(func(c *config.Body) bool { return says(c).Set })
	if l == nil || l.defaults || !says(l.body).Value || m.depth(l) >= m.depth(interactive) {
		return
	}
	b.diags = append(b.diags, diag.Diagnostic{Code: "haz::cfg::090", Place: l.src.Place(says(l.body).Span), KeyPath: l.body.KeyPath() + "." + key,
		Message: key + ": true of a task that inherits interactive: true", Hint: "remove " + key + ", or say interactive: false",
		Related: []diag.Related{{Place: interactive.src.Place(interactive.body.Interactive.Span), Label: "interactive stands here"}}})
}
