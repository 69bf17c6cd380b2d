package config

import (
	"slices"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
)

// tasks maps the tasks of a project or an overlay. The result is false when a task is missing from out; errors inside a body
// do not count.
func (m *mapper) tasks(f *Field, n *yaml.Node, out *[]Task) bool {
	v := deref(n)
	if v.Kind != yaml.MappingNode {
		m.wrongType(f.Rule, n, "a map from task name to task").Hint = "tasks: {build: {command: [\"program\", \"argument\"]}}"
		return false
	}
	list, ok := m.entries(v)
	*out = make([]Task, 0, len(list))
	for _, e := range list {
		m.push(step{key: e.key.Value})
		named := m.check(f.KeyRule, f.Type.Keys, e.key)
		body := m.body(e)
		if named && body != nil {
			*out = append(*out, Task{Name: e.key, Body: body})
		} else {
			ok = false
		}
		m.pop()
	}
	return ok
}

// body maps what a task says; nil when it is no map.
func (m *mapper) body(e entry) *Body {
	v := deref(e.value)
	if known, ok := m.shared[v].(*Body); ok {
		return known
	}
	if v.Kind != yaml.MappingNode {
		// A body of the wrong type is an error of its own rule, in projects and overlays alike.
		name := e.key.Value
		if workspace.CheckFamilyName(name) != nil {
			name = "build"
		}
		m.wrongType("haz::cfg::015", e.value, "a map with command or shell").Hint = yamlKey(name) + ":\n  command: [\"program\", \"argument\"]"
		return nil
	}
	b := &Body{path: m.keyPath()}
	switch cells, there := m.cellsOf(v); {
	case cells != nil && m.roomFor(v, len(cells)):
		m.inCells(e, b, cells)
		b.again = m.reader(e, b.path)
	default:
		inherits, shared := m.inherits(v), m.shared
		if m.anyCell, m.marked = there || inherits, false; m.anyCell {
			m.shared = nil // no stand-in for a value is for anybody else, and each is to see its marks (haz::cfg::136)
		}
		m.fill(e, b)
		m.shared = shared
		if m.anyCell = false; m.marked && inherits && !there {
			b.again = m.reader(e, b.path)
		}
	}
	if v.Anchor != "" {
		m.share(v, b)
	}
	return b
}

// fill maps what a body says, and holds its keys to each other.
func (m *mapper) fill(e entry, b *Body) {
	m.object(taskObject, "haz::cfg::015", deref(e.value), b)
	m.action(e.key, b)
	m.program(b)
	m.hashedAndPassed(b)
	m.terminal(b)
	m.ofService(b)
	m.cellsInScript(b)
	m.ownVariables(b)
}

// action holds the body to exactly one of command and shell (haz::cfg::020), and what is said of a shell to shell (haz::cfg::022).
func (m *mapper) action(name Text, b *Body) {
	switch {
	case b.Command.Set && b.Shell.Set:
		m.twoActions(name, b)
	case !b.Command.Set && !b.Shell.Set && !b.actionFailed && !b.Inherit.Value:
		m.add("haz::cfg::020", name.Span, "task "+diag.QuoteShort(name.Value)+" has neither command nor shell",
			`command: ["program", "argument"]    or    shell: "script"`)
	}
	if !b.Command.Set || b.Shell.Set {
		return
	}
	without := func(set bool, at Span, key string) {
		if set {
			m.add("haz::cfg::022", at, key+" without shell: a command is run without any shell", "write shell instead of command, or remove "+key)
		}
	}
	without(b.ShellType.Set, b.ShellType.Span, "shell_type")
	without(b.ShellOptions.Set, b.ShellOptions.Span, "shell_options")
	if b.Args.Set {
		m.add("haz::cfg::093", b.Args.Span, "args without shell: arguments stand behind a command anyway", "remove args")
	}
}

func (m *mapper) twoActions(name Text, b *Body) {
	second, first := b.Shell.Span, b.Command.Span
	if second.Start < first.Start {
		second, first = first, second
	}
	d := m.add("haz::cfg::020", second, "task "+diag.QuoteShort(name.Value)+" has both command and shell", "keep one of them")
	d.Related = m.related(first, "the other one is here")
}

// program refuses an empty program name: no file has it.
func (m *mapper) program(b *Body) {
	if len(b.Command.Items) > 0 && b.Command.Items[0].Value == "" {
		m.push(step{key: "command"})
		m.push(step{item: true})
		m.add("haz::cfg::021", b.Command.Items[0].Span, "the program name is empty", `command: ["program", "argument"]    or    shell: "script"`)
		m.pop()
		m.pop()
	}
}

// hashedAndPassed refuses a variable that both from_host and pass mean (haz::cfg::041): either its value counts or it does not.
func (m *mapper) hashedAndPassed(b *Body) {
	if len(b.Env.Pass.Items) == 0 || len(b.Env.FromHost.Items) == 0 {
		return
	}
	hashed := make(map[string]Text, len(b.Env.FromHost.Items))
	for _, name := range b.Env.FromHost.Items {
		hashed[name.Value] = name
	}
	sorted := slices.SortedFunc(slices.Values(b.Env.FromHost.Items), func(a, b Text) int { return strings.Compare(a.Value, b.Value) })
	m.push(step{key: "env"})
	m.push(step{key: "pass"})
	defer func() { m.pop(); m.pop() }()
	for _, text := range b.Env.Pass.Items {
		name, both := hashed[text.Value]
		if strings.HasSuffix(text.Value, "*") {
			name, both = firstPassed(text.Value, sorted)
		}
		if !both {
			continue
		}
		message := diag.QuoteShort(text.Value) + " is in from_host, too"
		if name.Value != text.Value {
			message = diag.QuoteShort(text.Value) + " means " + diag.QuoteShort(name.Value) + ", which is in from_host, too"
		}
		d := m.add("haz::cfg::041", text.Span, message, "keep it in from_host if results depend on its value, which is in the cache key then; in pass if they do not")
		d.Related = m.related(name.Span, "the other one is here")
	}
}

// firstPassed is the first, by name, of the names that a text of pass means. They are sorted.
func firstPassed(text string, names []Text) (Text, bool) {
	beginning := strings.TrimSuffix(text, "*")
	i, _ := slices.BinarySearchFunc(names, beginning, func(t Text, b string) int { return strings.Compare(t.Value, b) })
	if i == len(names) || !strings.HasPrefix(names[i].Value, beginning) {
		return Text{}, false
	}
	return names[i], true
}

// terminal refuses what cannot be true of a task that has the terminal (haz::cfg::090).
func (m *mapper) terminal(b *Body) {
	if !b.Interactive.Value {
		return
	}
	both := func(key string, at Span, why, hint string) {
		m.add("haz::cfg::090", at, key+": true of an interactive task: "+why, hint).Related = m.related(b.Interactive.Span, "interactive stands here")
	}
	if b.Cache.Value {
		both("cache", b.Cache.Span, "what somebody typed is not known, so nothing of it is kept", "remove cache, or interactive")
	}
	if b.TTY.Value {
		both("tty", b.TTY.Span, "it has a terminal already", "remove tty")
	}
}

const depHint = `{task: "~:build", closure: false}`

// deps maps a list whose items are texts, or maps with task and closure.
func (m *mapper) deps(f *Field, n *yaml.Node) (Deps, bool) {
	return mixed(m, f, n, m.dep, func(d Dep) Text { return d.Task })
}

func (m *mapper) dep(f *Field, n *yaml.Node) (d Dep, ok bool) {
	ok = m.textOrMap(f, n, &d, &d.Task, "a reference, or a map with task and closure", "the dep has no task", depHint)
	return d, ok
}

const toolHint = `tools: [cc, {name: node, probe: [node, --version]}]    or, for none: tools: []`

// tools maps a list whose items are names of programs, or maps with name and probe (haz::cfg::050, haz::cfg::051).
func (m *mapper) tools(f *Field, n *yaml.Node) (Tools, bool) {
	return mixed(m, f, n, m.tool, func(t Tool) Text { return t.Name })
}

func (m *mapper) tool(f *Field, n *yaml.Node) (t Tool, ok bool) {
	ok = m.textOrMap(f, n, &t, &t.Name, "the name of a program, or a map with name and probe", "the tool has no name", toolHint)
	if ok && t.Probe.Set && t.Probe.Items[0].Value == "" {
		m.add("haz::cfg::051", t.Probe.Items[0].Span, "the program name is empty", toolHint)
		return t, false
	}
	return t, ok
}

const mutexHint = "mutex: {name: db, mode: shared}    or    mutex: db"

// mutex maps a name, or a map with name and mode.
func (m *mapper) mutex(f *Field, n *yaml.Node, out *Mutex) bool {
	v := deref(n)
	mutex := Mutex{Span: m.span(n)}
	switch v.Kind {
	case yaml.ScalarNode:
		t, ok := m.text(f.Rule, n, "a name or a map")
		if !ok || !m.check(f.Rule, MutexName, t) {
			return false
		}
		mutex.Name = t
	case yaml.MappingNode:
		if !m.object(f.Type.Object, f.Rule, n, &mutex) {
			return false
		}
		lacks := ""
		switch {
		case !mutex.Name.Set && !mutex.Mode.Set:
			lacks = "neither name nor mode"
		case !mutex.Name.Set:
			lacks = "no name"
		case !mutex.Mode.Set:
			lacks = "no mode"
		}
		if lacks != "" {
			m.add(f.Rule, mutex.Span, "the mutex has "+lacks, mutexHint)
			return false
		}
	default:
		m.wrongType(f.Rule, n, "a name or a map with name and mode").Hint = mutexHint
		return false
	}
	mutex.Set = true
	*out = mutex
	return true
}

// example shows how a map is written, where that is not plain from the message.
func (o *Object) example() string {
	switch o {
	case cacheObject:
		return "cache: {hash: blake3}"
	case cleanObject:
		return "clean: {max_age: 90d, max_size: 5GiB}"
	case concurrencyObject:
		return "concurrency: {default: auto}"
	case outputObject:
		return "output: {mode: live}"
	case executionObject:
		return "execution: {cancel_grace: 5}"
	case depObject:
		return depHint
	case ifObject:
		return "if: {os: linux}    or    if: {env: CI}    or    if: {exists: go.mod}"
	case retryObject:
		return retryHint
	case serviceObject, readyObject:
		return serviceHint
	case httpObject:
		return urlHint
	case stopObject:
		return "stop: {signal: TERM, grace: 5s}"
	case toolObject:
		return toolHint
	case envObject:
		return "env: {from_host: [CC], pass: [TOKEN], override: {LC_ALL: C}}"
	case strictObject:
		return "env: {strict: true}"
	case defaultsObject:
		return "defaults: {timeout: 10m, inputs: [/tsconfig.json]}"
	}
	return ""
}
