package query

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/graph"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
)

// spec is a task in short: lists are separated by blanks.
type spec struct {
	id, deps, weak, in, out string
	mutex                   bool
}

// build makes a graph; tags are by project, and a project NAME has the directory /NAME.
func build(t interface{ Fatal(...any) }, tags map[string]string, specs []spec) *graph.Graph {
	w := &workspace.Workspace{}
	projects := map[string]*workspace.Project{}
	patterns := func(p *workspace.Project, texts string) (list []workspace.PatternDecl) {
		for _, s := range strings.Fields(texts) {
			pattern, err := pattern.Parse(s)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, workspace.PatternDecl{Text: s, Pattern: pattern.Anchor(p.Dir)})
		}
		return list
	}
	references := func(texts string) (list []workspace.RefDecl) {
		for _, s := range strings.Fields(texts) {
			r, err := workspace.ParseReference(s, false)
			if err != nil {
				t.Fatal(err)
			}
			list = append(list, workspace.RefDecl{Ref: r})
		}
		return list
	}
	for _, s := range specs {
		name, task, _ := strings.Cut(s.id, ":")
		p := projects[name]
		if p == nil {
			p = &workspace.Project{Name: name, Dir: "/" + name, Tags: strings.Fields(tags[name])}
			projects[name] = p
			w.Projects = append(w.Projects, p)
		}
		made := &workspace.Task{ID: workspace.TaskID{Project: name, Task: task}, Project: p,
			Deps: references(s.deps), WeakDeps: references(s.weak), Inputs: patterns(p, s.in), Outputs: patterns(p, s.out)}
		if s.mutex {
			made.Mutex = &workspace.Mutex{Name: "m"}
		}
		p.Tasks = append(p.Tasks, made)
		w.Tasks = append(w.Tasks, made)
	}
	byID := func(a, b *workspace.Task) int { return a.ID.Compare(b.ID) }
	slices.SortFunc(w.Tasks, byID)
	for i, made := range w.Tasks {
		made.Index = i
		slices.SortFunc(made.Project.Tasks, byID)
	}
	slices.SortFunc(w.Projects, func(a, b *workspace.Project) int { return strings.Compare(a.Name, b.Name) })
	g, diags := graph.Build(w)
	if g == nil {
		t.Fatal(diags.Render(diag.Style{}))
	}
	return g
}

func ids(tasks []*workspace.Task) string {
	var l []string
	for _, t := range tasks {
		l = append(l, t.ID.String())
	}
	return strings.Join(l, " ")
}

// The filters of 7.1, one by one, on the chain core:gen ← core:build ← net:build ← app:build, with net:test beside.
func TestFilters(t *testing.T) {
	g := build(t, map[string]string{"core": "c lib", "net": "go lib"}, []spec{
		{id: "core:gen", out: "gen.h"},
		{id: "core:build", deps: "~:gen", in: "src/*.c gen.h", out: "dist/**", mutex: true},
		{id: "net:build", deps: "core:build", in: "/core/dist/core.a", out: "net.a"},
		{id: "net:test", deps: "~:build", weak: "core:build"},
		{id: "app:build", deps: "net:build", in: "**/*.go"},
		{id: "app:lint", weak: "net:build"},
	})
	core := g.W.Project("core")
	for _, c := range []struct {
		q    Query
		want string
	}{
		{Query{}, "app:build app:lint core:build core:gen net:build net:test"},
		{f(Tags, "lib & !go"), "core:build core:gen"},
		{f(Tags, "nope"), ""},
		{f(Tags, "!nope"), "app:build app:lint core:build core:gen net:build net:test"},
		{f(Projects, "app|net"), "app:build app:lint net:build net:test"},
		{f(Tasks, "build"), "app:build core:build net:build"},
		{f(Tasks, "Build"), ""},
		// 7.3: exact, and relative to the bearing project; exclude and the disk play no role.
		{f(Inputs, "gen.h"), "core:build"},
		{f(Inputs, "/core/**"), "core:build net:build"},
		{f(Inputs, "src/a.?"), "core:build"},
		{f(Inputs, "src"), "core:build"}, {f(Inputs, "src/"), "core:build"}, {f(Inputs, "srca"), ""},
		{f(Inputs, "!/**"), "app:lint core:gen net:test"},
		{f(Outputs, "/core/dist/x/y | gen.h"), "core:build core:gen"},
		{f(Outputs, "!gen.h & !/net/*"), "app:build app:lint core:build net:test"},
		// QRY-004: direct filters may return members of the target set, transitive ones never do.
		{f(ChildOf, "name:gen"), "core:build"},
		{f(ChildOf, "name:build"), "app:build net:build net:test"},
		{f(ParentOf, "name:build"), "core:build core:gen net:build"},
		{f(ParentOf, "name:test"), "net:build"},
		{f(DependsOn, "name:gen"), "app:build core:build net:build net:test"},
		{f(DependsOn, "name:build"), "net:test"},
		{f(DependsOn, "tag:c"), "app:build net:build net:test"},
		{f(AncestorOf, "project:app"), "core:build core:gen net:build"},
		{f(AncestorOf, "project:app | project:net"), "core:build core:gen"},
		{f(AncestorOf, "!name:test"), ""},
		// QRY-005, QRY-006.
		{Query{HasDeps: true}, "app:build core:build net:build net:test"},
		{Query{NoDeps: true}, "app:lint core:gen"},
		{Query{HasInputs: true}, "app:build core:build net:build"},
		{Query{NoInputs: true}, "app:lint core:gen net:test"},
		{Query{HasOutputs: true}, "core:build core:gen net:build"},
		{Query{NoOutputs: true}, "app:build app:lint net:test"},
		{Query{Mutex: true}, "core:build"},
		{Query{Filters: []Filter{{Tags, "lib"}, {Tasks, "build"}, {DependsOn, "name:gen"}}, HasInputs: true, NoOutputs: false}, "core:build net:build"},
		{Query{Filters: []Filter{{Tags, "lib"}, {Tags, "go"}}}, "net:build net:test"},
		// QRY-010: wildcards; QRY-011: all in one expression.
		{f(Tasks, "b*|*e*t"), "app:build core:build net:build net:test"},
		{f(Projects, "*o*e"), "core:build core:gen"},
		{f(Tags, "*o"), "net:build net:test"},
		{f(ChildOf, "name:*en"), "core:build"},
		{f(All, "name:build & !project:core"), "app:build net:build"},
		{f(All, "tag:lib & has:mutex | has:inputs & !has:outputs"), "app:build core:build"},
		{f(All, "has:deps & input:src/a.c"), "core:build"},
		{f(All, "output:/net/*"), "net:build"},
		{f(All, "depends-on(name:gen) & !child-of(project:core)"), "app:build net:test"},
		{f(All, "parent-of(depends-on(name:gen & project:core) & project:app)"), "net:build"},
		{f(All, "ancestor-of(name:test) | name:lint"), "app:lint core:build core:gen net:build"},
	} {
		got, err := c.q.Run(g, g.W.Tasks, core)
		if err != nil || ids(got) != c.want {
			t.Errorf("%+v: got %q, %v; want %q", c.q, ids(got), err, c.want)
		}
	}
	// The target set is taken from all tasks, the candidates from the project.
	got, err := f(ChildOf, "project:core").Run(g, g.W.Project("net").Tasks, nil)
	if err != nil || ids(got) != "net:build" {
		t.Errorf("got %q, %v", ids(got), err)
	}
}

func f(o Option, expr string) Query { return Query{Filters: []Filter{{o, expr}}} }

// QRY-007, QRY-008: to the byte.
func TestOutput(t *testing.T) {
	g := build(t, map[string]string{"lib": "backend native"}, []spec{{id: "lib:build"}, {id: "lib:Zed"}, {id: "lib:a_b"}, {id: "lib:a1"}, {id: "lib:a-b"}, {id: "app:default"}})
	var plain, json strings.Builder
	if err := WritePlain(&plain, g.W.Tasks); err != nil {
		t.Error(err)
	}
	if want := "app:default\nlib:Zed\nlib:a-b\nlib:a1\nlib:a_b\nlib:build\n"; plain.String() != want {
		t.Errorf("got %q, want %q", plain.String(), want)
	}
	if err := WriteJSON(&json, []*workspace.Task{g.W.Tasks[5], g.W.Tasks[0]}); err != nil {
		t.Error(err)
	}
	if want := `[{"project":"lib","tags":["backend","native"],"task":"build"},{"project":"app","tags":[],"task":"default"}]` + "\n"; json.String() != want {
		t.Errorf("got %q, want %q", json.String(), want)
	}
	plain.Reset()
	json.Reset()
	if WritePlain(&plain, nil) != nil || WriteJSON(&json, nil) != nil || plain.String() != "" || json.String() != "[]\n" {
		t.Errorf("no match: %q, %q", plain.String(), json.String())
	}
}

// oracle is an expression as a tree of its own, evaluated one task at a time.
type oracle struct {
	op   string // "&", "|", "!", or "" for an atom
	args []*oracle
	text string
	fits func(t *workspace.Task) bool
}

func (o *oracle) holds(t *workspace.Task) bool {
	switch o.op {
	case "!":
		return !o.args[0].holds(t)
	case "&":
		return o.args[0].holds(t) && o.args[1].holds(t)
	case "|":
		return o.args[0].holds(t) || o.args[1].holds(t)
	}
	return o.fits(t)
}

// write prints with as few parentheses as the precedence allows: level 0 takes "|", 1 "&", 2 "!", 3 an atom.
func (o *oracle) write(level int, blank func() string) string {
	var s string
	var own int
	switch o.op {
	case "|":
		s = o.args[0].write(0, blank) + blank() + "|" + blank() + o.args[1].write(1, blank)
	case "&":
		s, own = o.args[0].write(1, blank)+blank()+"&"+blank()+o.args[1].write(2, blank), 1
	case "!":
		s, own = "!"+blank()+o.args[0].write(3, blank), 2
	default:
		s, own = o.text, 3
	}
	if own < level {
		return "(" + blank() + s + blank() + ")"
	}
	return s
}

func drawExpr(t *rapid.T, g *graph.Graph, o Option, depth int) *oracle {
	op := ""
	if depth > 0 {
		op = rapid.SampledFrom([]string{"", "&", "|", "!"}).Draw(t, "op")
	}
	switch op {
	case "!":
		return &oracle{op: op, args: []*oracle{drawExpr(t, g, o, depth-1)}}
	case "&", "|":
		return &oracle{op: op, args: []*oracle{drawExpr(t, g, o, depth-1), drawExpr(t, g, o, depth-1)}}
	}
	if o == All && depth > 0 && rapid.Bool().Draw(t, "relation") {
		of := rapid.SampledFrom([]Option{ChildOf, ParentOf, DependsOn, AncestorOf}).Draw(t, "which")
		inner := drawExpr(t, g, All, depth-1)
		return &oracle{text: string(of) + "(" + inner.write(0, func() string { return " " }) + ")",
			fits: func(task *workspace.Task) bool { return passes(g, of, inner, task) }}
	}
	name := rapid.SampledFrom([]string{"a", "b", "c", "zz", "*", "a*", "*b"}).Draw(t, "name")
	a := &oracle{text: name}
	is := func(s string) bool { // of names of one letter
		return s == name || name == "*" || len(name) == 2 && s == strings.Trim(name, "*")
	}
	hasTag := func(task *workspace.Task) bool { return slices.ContainsFunc(task.Project.Tags, is) }
	isNamed := func(task *workspace.Task) bool { return is(task.ID.Task) }
	isOf := func(task *workspace.Task) bool { return is(task.ID.Project) }
	switch o {
	case Tags:
		a.fits = hasTag
	case Projects:
		a.fits = isOf
	case Tasks:
		a.fits = isNamed
	case Inputs, Outputs:
		a.text = rapid.SampledFrom([]string{"x", "*", "/a/x", "/a/*", "/**/y", "/{a,b}/d/[xy]", "d/**", `"/a/x"`}).Draw(t, "pattern")
		parsed, err := pattern.Parse(strings.Trim(a.text, `"`))
		if err != nil {
			t.Fatal(err)
		}
		parsed = parsed.Anchor("/b")
		a.fits = func(task *workspace.Task) bool {
			list := task.Inputs
			if o == Outputs {
				list = task.Outputs
			}
			return slices.ContainsFunc(list, func(d workspace.PatternDecl) bool { return pattern.Overlap(d.Pattern, parsed) })
		}
	default:
		kind := rapid.SampledFrom([]string{"name", "project", "tag"}).Draw(t, "keyword")
		a.text = kind + ":" + name
		a.fits = map[string]func(*workspace.Task) bool{"name": isNamed, "project": isOf, "tag": hasTag}[kind]
		if o == All && rapid.Bool().Draw(t, "field") {
			a.text = rapid.SampledFrom([]string{"has:deps", "has:inputs", "has:outputs", "has:mutex"}).Draw(t, "has")
			a.fits = map[string]func(*workspace.Task) bool{
				"has:deps":    func(task *workspace.Task) bool { return len(task.Deps) > 0 },
				"has:inputs":  func(task *workspace.Task) bool { return len(task.Inputs) > 0 },
				"has:outputs": func(task *workspace.Task) bool { return len(task.Outputs) > 0 },
				"has:mutex":   func(task *workspace.Task) bool { return task.Mutex != nil },
			}[a.text]
		}
	}
	return a
}

// passes answers one filter for one task by its definition.
func passes(g *graph.Graph, o Option, expr *oracle, t *workspace.Task) bool {
	hard := func(edges []graph.Edge) (list []*workspace.Task) {
		for _, e := range edges {
			if e.Kind == graph.Hard {
				list = append(list, g.W.Tasks[e.Task])
			}
		}
		return list
	}
	var beyond func(t *workspace.Task, edges [][]graph.Edge) bool
	beyond = func(t *workspace.Task, edges [][]graph.Edge) bool {
		return slices.ContainsFunc(hard(edges[t.Index]), func(u *workspace.Task) bool { return expr.holds(u) || beyond(u, edges) })
	}
	switch o {
	case ChildOf:
		return slices.ContainsFunc(hard(g.Up[t.Index]), expr.holds)
	case ParentOf:
		return slices.ContainsFunc(hard(g.Down[t.Index]), expr.holds)
	case DependsOn:
		return !expr.holds(t) && beyond(t, g.Up)
	case AncestorOf:
		return !expr.holds(t) && beyond(t, g.Down)
	}
	return expr.holds(t)
}

// On random workspaces and expressions, a naive evaluator agrees.
func TestAgreesWithDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var specs []spec
		var earlier []string
		names := rapid.SampledFrom([]string{"a", "b", "c"})
		some := func(of []string, most int, label string) string {
			if len(of) == 0 {
				return ""
			}
			return strings.Join(rapid.SliceOfNDistinct(rapid.SampledFrom(of), 0, most, rapid.ID[string]).Draw(t, label), " ")
		}
		for range rapid.IntRange(0, 9).Draw(t, "tasks") {
			id := names.Draw(t, "project") + ":" + names.Draw(t, "task")
			if slices.Contains(earlier, id) {
				continue
			}
			s := spec{id: id, deps: some(earlier, 3, "deps"), in: some([]string{"x", "*", "e/x", "/a/*", "d/**/y"}, 2, "in"), mutex: rapid.Bool().Draw(t, "mutex")}
			if !strings.Contains(s.deps, ":") {
				s.weak = some(earlier, 1, "weak")
			}
			s.out = some([]string{"o/*", "/a/d/{x,y}", "/**/z"}, 1, "out")
			specs = append(specs, s)
			earlier = append(earlier, id)
		}
		tags := map[string]string{"a": some([]string{"a", "b"}, 2, "tags"), "b": some([]string{"b", "c"}, 2, "tags")}
		g := build(t, tags, specs)

		var q Query
		var exprs []*oracle
		for range rapid.IntRange(0, 2).Draw(t, "filters") {
			o := rapid.SampledFrom(Options).Draw(t, "option")
			expr := drawExpr(t, g, o, 3)
			exprs = append(exprs, expr)
			blank := func() string { return rapid.SampledFrom([]string{"", " ", "\t"}).Draw(t, "blank") }
			q.Filters = append(q.Filters, Filter{o, blank() + expr.write(0, blank) + blank()})
		}
		q.HasDeps, q.NoInputs, q.Mutex = rapid.Bool().Draw(t, "has-deps"), rapid.Bool().Draw(t, "no-inputs"), rapid.Bool().Draw(t, "mutex")
		if rapid.Bool().Draw(t, "no switches") {
			q.HasDeps, q.NoInputs, q.Mutex = false, false, false
		}
		got, err := q.Run(g, g.W.Tasks, &workspace.Project{Dir: "/b"})
		if err != nil {
			t.Fatal(err)
		}
		var want []*workspace.Task
		for _, task := range g.W.Tasks {
			ok := (!q.HasDeps || len(task.Deps) > 0) && (!q.NoInputs || len(task.Inputs) == 0) && (!q.Mutex || task.Mutex != nil)
			for i, e := range exprs {
				ok = ok && passes(g, q.Filters[i].Option, e, task)
			}
			if ok {
				want = append(want, task)
			}
		}
		if ids(got) != ids(want) {
			t.Fatalf("%+v: got %q, want %q", q, ids(got), ids(want))
		}
	})
}

// BenchmarkRelations asks about long chains: one walk, not one a candidate.
func BenchmarkRelations(b *testing.B) {
	for _, n := range []int{2000, 20_000} {
		b.Run(fmt.Sprintf("tasks=%d", n), func(b *testing.B) {
			specs := make([]spec, n)
			for i := range specs {
				specs[i] = spec{id: fmt.Sprintf("a:t%05d", i), in: "src/*.c"}
				if i > 0 {
					specs[i].deps = fmt.Sprintf("~:t%05d", i-1)
				}
			}
			g := build(b, nil, specs)
			q := Query{Filters: []Filter{{DependsOn, "name:t00000"}, {AncestorOf, fmt.Sprintf("name:t%05d", n-1)}, {Inputs, "/a/src/x.c"}}}
			b.ReportAllocs()
			for b.Loop() {
				if found, err := q.Run(g, g.W.Tasks, nil); err != nil || len(found) != n-2 {
					b.Fatal(err, len(found))
				}
			}
		})
	}
}

// A long expression costs its length times a word for 64 tasks.
func BenchmarkLongExpression(b *testing.B) {
	specs := make([]spec, 10_000)
	for i := range specs {
		specs[i] = spec{id: fmt.Sprintf("a:t%05d", i)}
	}
	g := build(b, nil, specs)
	q := f(Tasks, strings.Repeat("t00001 | !(t00002 & t00003) | ", 1000)+"t00004")
	b.ReportAllocs()
	for b.Loop() {
		if _, err := q.Run(g, g.W.Tasks, nil); err != nil {
			b.Fatal(err)
		}
	}
}
