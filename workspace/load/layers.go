package load

import (
	"slices"
	"strings"
	"sync"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/config"
)

// A task is what several bodies say of it (haz::cfg::066): its own, and behind it the defaults of its project and those of the workspace.
// Of a key that holds one value the nearest body counts; lists are added, the widest first; of the environment the nearest body that names
// a variable says all of it.

// layer is one body that says something of tasks.
type layer struct {
	src      *config.Source
	body     *config.Body
	defaults bool        // it is no task's own
	shared   bool        // several tasks have it
	script   bool        // it is that of a package
	standIn  bool        // it stands in for a script that a package has not (haz::cfg::126)
	strict   config.Bool // env.strict, which files also say beside their defaults
	overlay  string      // the one that it stands in; "" for none
	origins  *sync.Map   // of its lists, by key: what tasks of several projects share
}

// newDefaults is what a file says of tasks that do not say it, in its defaults, which may be nil, and beside them; nil for nothing.
func newDefaults(src *config.Source, body *config.Body, strict config.Bool) *layer {
	switch {
	case body == nil && !strict.Set:
		return nil
	case body == nil:
		body = &config.Body{}
	case !strict.Set:
		strict = body.Env.Strict
	}
	return &layer{src: src, body: body, defaults: true, shared: true, strict: strict, origins: &sync.Map{}}
}

// part is what one layer says of a list.
type part[T any] struct {
	of    *layer
	items []T
	fewer bool // a nearer layer has some of them
}

// list is a list, the widest layer first.
type list[T any] []part[T]

// plus adds what a nearer layer says. An item that is there already, by name, counts once, where and as the nearer one has it.
func (l list[T]) plus(of *layer, items []T, name func(*T) string) list[T] {
	if len(items) == 0 {
		return l
	}
	if len(l) > 0 {
		l = l.without(among(items, name, name))
	}
	return append(slices.Clip(l), part[T]{of: of, items: items})
}

// without leaves items out. It shares with l what is the same.
func (l list[T]) without(drop func(*T) bool) list[T] {
	out := l
	for i, p := range l {
		var rest []T
		for at := range p.items {
			switch drops := drop(&p.items[at]); {
			case drops && rest == nil:
				rest = append(make([]T, 0, len(p.items)), p.items[:at]...)
			case !drops && rest != nil:
				rest = append(rest, p.items[at])
			}
		}
		if rest == nil {
			continue
		}
		if &out[0] == &l[0] {
			out = slices.Clone(l)
		}
		out[i].items, out[i].fewer = rest, true
	}
	return out
}

// among reports of an item whether another list has its name.
func among[T, U any](items []T, name func(*T) string, of func(*U) string) func(*U) bool {
	if len(items) == 0 {
		return func(*U) bool { return false }
	}
	names := make(map[string]bool, len(items))
	for i := range items {
		names[name(&items[i])] = true
	}
	return func(item *U) bool { return names[of(item)] }
}

func (l list[T]) len() (n int) {
	for _, p := range l {
		n += len(p.items)
	}
	return n
}

func named(t *config.Text) string          { return t.Value }
func patternText(p *config.Pattern) string { return p.Value }
func toolName(t *config.Tool) string       { return t.Name.Value }
func variable(p *config.Pair) string       { return p.Key.Value }

// referenceText is the reference of an item of deps, weakDeps or after, be it optional or not.
func referenceText(t *config.Text) string { return strings.TrimSuffix(t.Value, "?") }
func depText(d *config.Dep) string        { return referenceText(&d.Task) }

// fileName is the name of a file of variables, be it optional or not.
func fileName(t *config.Text) string {
	name, _ := config.OptionalFile(t.Value)
	return name
}

// merged is what layers say together.
type merged struct {
	layers                   []*layer // nearest first
	inputs, exclude, outputs list[config.Pattern]
	deps                     list[config.Dep]
	weakDeps, after          list[config.Text]
	tools                    list[config.Tool]
	ownTools                 bool
	env                      *environment // nil: nothing is said
	standIn                  bool         // the widest layer is one: nothing but what its key is made of counts
}

// with is m, which may be nil, with a nearer layer.
func (m *merged) with(l *layer) *merged {
	out, b := &merged{}, l.body
	if m != nil {
		*out = *m
	}
	out.layers = append([]*layer{l}, out.layers...)
	out.standIn = out.standIn || l.standIn
	// Of deps and weakDeps the nearer is right.
	out.deps = out.deps.without(among(b.WeakDeps.Items, referenceText, depText))
	out.weakDeps = out.weakDeps.without(among(b.Deps.Items, depText, referenceText))
	out.inputs = out.inputs.plus(l, b.Inputs.Items, patternText)
	out.exclude = out.exclude.plus(l, b.Exclude.Items, patternText)
	if !out.standIn {
		out.outputs = out.outputs.plus(l, b.Outputs.Items, patternText)
	}
	out.deps = out.deps.plus(l, b.Deps.Items, depText)
	out.weakDeps = out.weakDeps.plus(l, b.WeakDeps.Items, referenceText)
	out.after = out.after.plus(l, b.After.Items, referenceText)
	if b.Tools.Set {
		out.ownTools = true
		if len(b.Tools.Items) == 0 { // `[]` says that there are none
			out.tools = nil
		}
		out.tools = out.tools.plus(l, b.Tools.Items, toolName)
	}
	out.env = out.env.with(l)
	return out
}

// nearest is the nearest layer that says something; nil when none does.
func (m *merged) nearest(says func(*config.Body) bool) *layer {
	for _, l := range m.layers {
		if says(l.body) {
			return l
		}
	}
	return nil
}

// action is the nearest layer that says what is carried out; nil when none does.
func (m *merged) action() *layer {
	return m.nearest(func(c *config.Body) bool { return c.Command.Set || c.Shell.Set })
}

// overlays are the names of those that complete the nearest layer.
func (m *merged) overlays() (names []string) {
	if m == nil {
		return nil
	}
	for _, l := range m.layers {
		if l.overlay != "" {
			names = append(names, l.overlay)
		}
	}
	return names
}

// inCell is m in a cell of a matrix. bad says what is wrong there.
func (m *merged) inCell(cell []workspace.CellValue) (in *merged, bad diag.List) {
	if m == nil || !slices.ContainsFunc(m.layers, func(l *layer) bool { return l.body.HasCells() }) {
		return m, nil
	}
	for _, l := range slices.Backward(m.layers) {
		body, diags := l.body.InCell(cell)
		if body != l.body {
			copied := *l
			copied.body, copied.origins = body, &sync.Map{}
			l = &copied
		}
		in, bad = in.with(l), append(bad, diags...)
	}
	return in, bad
}

// own is the nearest layer.
func (m *merged) own() *layer { return m.layers[0] }

// depth is how far a layer is from the nearest.
func (m *merged) depth(l *layer) int { return slices.Index(m.layers, l) }

// tells reports whether what is wrong with something of a layer is told of these layers: what is wrong with defaults is told of them alone,
// once, however many tasks have it.
func (m *merged) tells(l *layer) bool { return l == m.own() || !l.defaults }

// strict is what the nearest layer says of env.strict.
func (m *merged) strict() bool {
	for _, l := range m.layers {
		if l.strict.Set {
			return l.strict.Value
		}
	}
	return false
}

// environment is what layers say of variables, with the values that tasks get: those who add nothing share them.
type environment struct {
	fromHost, pass, files list[config.Text]
	override              list[config.Pair]

	fromHostNames, passNames []string
	names                    *workspace.EnvNames
	overrides                map[string]string
}

// with is e, which may be nil, with a nearer layer. What the wider ones say of a variable that this one names does not count. A PREFIX_* names
// none, but passing and hashing exclude each other, and the nearer is right.
func (e *environment) with(l *layer) *environment {
	env := &l.body.Env
	if len(env.FromHost.Items)+len(env.Pass.Items)+len(env.Files.Items)+len(env.Override) == 0 {
		return e
	}
	out := &environment{}
	if e != nil {
		*out = *e
		out.forget(l)
	}
	out.fromHost = out.fromHost.plus(l, env.FromHost.Items, named)
	out.pass = out.pass.plus(l, env.Pass.Items, named)
	out.files = out.files.plus(l, env.Files.Items, fileName)
	out.override = out.override.plus(l, env.Override, variable)
	out.fromHostNames, out.passNames, out.overrides = flat(out.fromHost), flat(out.pass), nil
	out.names = workspace.NewEnvNames(out.fromHostNames, out.passNames)
	if n := out.override.len(); n > 0 {
		out.overrides = make(map[string]string, n)
		for _, p := range out.override {
			for _, o := range p.items {
				out.overrides[o.Key.Value] = o.Value.Value
			}
		}
	}
	return out
}

// forget takes out what the wider layers say of the variables that l names.
func (e *environment) forget(l *layer) {
	env := &l.body.Env
	names := make(map[string]bool, len(env.FromHost.Items)+len(env.Pass.Items)+len(env.Override))
	prefixes := map[string]bool{}
	for _, t := range env.FromHost.Items {
		names[t.Value] = true
	}
	for _, t := range env.Pass.Items {
		names[t.Value] = true
		if prefix, many := strings.CutSuffix(t.Value, "*"); many {
			prefixes[prefix] = true
		}
	}
	for _, o := range env.Override {
		names[o.Key.Value] = true
	}
	e.fromHost = e.fromHost.without(func(t *config.Text) bool {
		for i := range t.Value {
			if len(prefixes) > 0 && prefixes[t.Value[:i]] {
				return true
			}
		}
		return names[t.Value]
	})
	e.pass = e.pass.without(func(t *config.Text) bool { return names[t.Value] })
	e.override = e.override.without(func(o *config.Pair) bool { return names[o.Key.Value] })
}

// flat are the texts of a list.
func flat(l list[config.Text]) []string {
	if l.len() == 0 {
		return nil
	}
	out := make([]string, 0, l.len())
	for _, p := range l {
		for i := range p.items {
			out = append(out, p.items[i].Value)
		}
	}
	return out
}
