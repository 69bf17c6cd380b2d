package config

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/haz-build/haz/diag"
)

// FuzzPrint: what a file says, printed as YAML in the plainest way and read again, says the same (chapter 1, 12). The printer
// writes every value that there is, so that a value which reading loses or changes shows as a difference. One print stands
// for what was read: it has no places and no style.
func FuzzPrint(f *testing.F) {
	for _, text := range printSeeds {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		for kind, read := range readers {
			first, diags := read(string(text))
			if len(diags) > 0 || len(first) > 1<<20 { // aliases can make much of little
				continue
			}
			again, diags := read(first)
			if len(diags) > 0 {
				t.Fatalf("%s, printed:\n%s\n%s", kind, first, diags.Render(diag.Style{}))
			}
			if diff := cmp.Diff(first, again); diff != "" {
				t.Fatalf("%s, printed and read again (-first +again):\n%s", kind, diff)
			}
		}
	})
}

// Each seed is sound for a kind of file, and no two print the same.
func TestPrintSeeds(t *testing.T) {
	seen := map[string]bool{}
	for _, text := range printSeeds {
		sound := false
		for _, read := range readers {
			if got, diags := read(text); len(diags) == 0 {
				sound = !seen[got]
				seen[got] = true
			}
		}
		if !sound {
			t.Errorf("nothing new: %s", text)
		}
	}
}

var printSeeds = []string{
	"name: '@a/b.c'\naliases: [b, 1.5]\ntasks: {'a:b/c@d': {shell: ''}}\n",
	"name: lib\ntags: [a, 9]\ntasks:\n  t: &t\n    shell: |\n      a\n       b\n    shell_type: bash\n    shell_options: [-eu, -o, pipefail]\n    inputs: [\"*.c\", \\x, é, '[\\]*']\n    exclude: [\"{a,\\\\,}b\"]\n  u: *t\n  v:\n    <<: *t\n    mutex: ~:db\n    outputs: []\n",
	"name: 1\ntasks: {null: {command: [1, true, 1.50, 0x10, 2001-01-01, yes, '', \"\\u2028\\U0001F600\\t\"], env: {from_host: [A], override: {B: x, C: ''}}}}\n",
	"name: a\ntasks:\n  t: {shell: '', deps: [\"[a]~:t\", {task: \"~:u\", closure: True}, {closure: false, streams: true, task: \"^:v\"}], weakDeps: [\"^:t\"], tools: [cc, {name: 1, probe: [a, '']}, {name: b}], mutex: {mode: shared, name: 1}, cache: False, env: {override: {A: \"\\x01\", B: '~'}}}\n",
	"projects: [/a, \"/libs/*\", '/x{,y}']\ncache: {hash: sha256, clean: {max_age: 1w2d, max_size: 5GiB}}\nconcurrency: {default: 0x10, tags: {a: \"3\", b: +4}}\noutput: {mode: buffered}\nexecution: {cancel_grace: .5, umask: 0o27}\n",
	"name: a\nenv: {strict: TRUE}\ntasks: {t: {shell: '', env: {strict: false, files: [.env, \".env.local?\"], pass: [TOKEN, \"NPM_*\", a*]}}}\n", "projects: []\nenv: {strict: False}\n",
	"projects: ~\nconcurrency: {default: auto}\n", "projects: []\nexecution: {cancel_grace: 1e300}\n",
	"projects: []\nfiles: {sources: [\"src/**\", \"!$gen\", '\\$x'], gen: []}\n", "name: a\nfiles: {1: [$b, \"!src/gen/\"], b: []}\ntasks: {t: {shell: '', inputs: [\"**\", \"!*.md\", $1, \"!$b\"]}}\n",
	"tagsFilter: [a, b]\ntasks: {}\n", "tasks: ~\n", "tasks: {a: {command: [!!binary aGk=]}}\n",
}

// readers read a kind of file and print it.
var readers = map[string]func(string) (string, diag.List){
	"workspace": func(s string) (string, diag.List) {
		w, d := ReadWorkspace(File{Name: "f", Text: []byte(s)})
		return printed(func(p *printer) { p.workspace(w) }), d
	},
	"project": func(s string) (string, diag.List) {
		w, d := ReadProject(File{Name: "f", Text: []byte(s)})
		return printed(func(p *printer) { p.project(w) }), d
	},
	"overlay": func(s string) (string, diag.List) {
		w, d := ReadOverlay(File{Name: "f", Text: []byte(s)})
		return printed(func(p *printer) { p.overlay(w) }), d
	},
}

// printer writes maps and lists in YAML's flow style, and texts in double quotes with all but plain ASCII escaped.
type printer struct{ b strings.Builder }

func printed(print func(*printer)) string {
	var p printer
	print(&p)
	return p.b.String()
}

// members writes a map; each member says whether it is there.
func (p *printer) members(list ...func() bool) {
	p.b.WriteString("{")
	for _, m := range list {
		if m() {
			p.b.WriteString(",\n")
		}
	}
	p.b.WriteString("}")
}

func (p *printer) member(set bool, key string, value func()) func() bool {
	return func() bool {
		if set {
			p.quote(key)
			p.b.WriteString(": ")
			value()
		}
		return set
	}
}

func (p *printer) quote(s string) {
	p.b.WriteByte('"')
	for _, r := range s {
		if r < ' ' || r > '~' || r == '"' || r == '\\' {
			fmt.Fprintf(&p.b, `\U%08X`, r)
			continue
		}
		p.b.WriteRune(r)
	}
	p.b.WriteByte('"')
}

func (p *printer) text(key string, t Text) func() bool {
	return p.member(t.Set, key, func() { p.quote(t.Value) })
}

func (p *printer) list(set bool, key string, items []Text) func() bool {
	return p.member(set, key, func() {
		p.b.WriteString("[")
		for _, t := range items {
			p.quote(t.Value)
			p.b.WriteString(", ")
		}
		p.b.WriteString("]")
	})
}

func (p *printer) patterns(key string, l Patterns) func() bool {
	var items []Text
	for _, i := range l.Items {
		text := i.Glob.String() // what it was parsed to, not the text beside it
		if i.Set != "" {
			text = "$" + i.Set
		}
		if i.Not {
			text = "!" + text
		}
		items = append(items, Text{Value: text})
	}
	return p.list(l.Set, key, items)
}

// always writes a map, be it empty.
func (p *printer) always(key string, list ...func() bool) func() bool {
	return p.member(true, key, func() { p.members(list...) })
}

func (p *printer) workspace(w *Workspace) {
	projects := w.Projects
	projects.Set = true // null is the empty list
	p.members(
		p.patterns("projects", projects),
		p.always("cache", p.text("hash", w.Cache.Hash),
			p.always("clean", p.text("max_age", w.Cache.Clean.MaxAge.Text), p.text("max_size", w.Cache.Clean.MaxSize.Text))),
		p.always("concurrency",
			p.member(w.Concurrency.Default.Set, "default", func() {
				if w.Concurrency.Max == 0 {
					p.b.WriteString("auto")
				} else {
					fmt.Fprint(&p.b, w.Concurrency.Max)
				}
			}),
			p.member(true, "tags", func() {
				p.members(func() bool {
					for _, c := range w.Concurrency.Tags {
						p.member(true, c.Tag.Value, func() { fmt.Fprint(&p.b, c.Max) })()
						p.b.WriteString(", ")
					}
					return false
				})
			})),
		p.always("output", p.text("mode", w.Output.Mode), p.text("ui", w.Output.UI)),
		p.always("execution", p.text("cancel_grace", w.Execution.CancelGrace.Text), p.text("umask", w.Execution.Umask)),
		p.always("env", p.flag("strict", w.Env.Strict)), p.files(w.Files),
	)
	// A quantity is what its text says, and what reading its text again must say: shown beside the map.
	fmt.Fprintf(&p.b, " # %d %d %d", w.Cache.Clean.MaxAge.Duration, w.Cache.Clean.MaxSize.Bytes, w.Execution.CancelGrace.Duration)
}

func (p *printer) project(w *Project) {
	p.members(p.text("name", w.Name), p.list(w.Aliases.Set, "aliases", w.Aliases.Items), p.list(w.Tags.Set, "tags", w.Tags.Items), p.always("env", p.flag("strict", w.Env.Strict)), p.files(w.Files), p.tasks(w.Tasks))
}

func (p *printer) files(list []FileSet) func() bool {
	return p.member(len(list) > 0, "files", func() {
		p.members(func() bool {
			for _, s := range list {
				p.patterns(s.Name.Value, s.Items)()
				p.b.WriteString(", ")
			}
			return false
		})
	})
}

func (p *printer) overlay(w *Overlay) {
	p.members(p.list(w.TagsFilter.Set, "tagsFilter", w.TagsFilter.Items), p.tasks(w.Tasks))
}

func (p *printer) tasks(list []Task) func() bool {
	return p.member(true, "tasks", func() {
		p.members(func() bool {
			for _, t := range list {
				p.member(true, t.Name.Value, func() { p.body(t.Body) })()
				p.b.WriteString(",\n")
			}
			return false
		})
	})
}

func (p *printer) deps(d Deps) func() bool {
	return p.member(d.Set, "deps", func() {
		p.b.WriteString("[")
		for _, item := range d.Items {
			p.members(p.text("task", item.Task), p.flag("closure", item.Closure), p.flag("streams", item.Streams))
			p.b.WriteString(", ")
		}
		p.b.WriteString("]")
	})
}

func (p *printer) tools(l Tools) func() bool {
	return p.member(l.Set, "tools", func() {
		p.b.WriteString("[")
		for _, item := range l.Items {
			p.members(p.text("name", item.Name), p.list(item.Probe.Set, "probe", item.Probe.Items))
			p.b.WriteString(", ")
		}
		p.b.WriteString("]")
	})
}

func (p *printer) body(b *Body) {
	p.members(
		p.list(b.Command.Set, "command", b.Command.Items), p.text("shell", b.Shell), p.text("shell_type", b.ShellType), p.list(b.ShellOptions.Set, "shell_options", b.ShellOptions.Items),
		p.patterns("inputs", b.Inputs), p.patterns("exclude", b.Exclude), p.patterns("outputs", b.Outputs),
		p.deps(b.Deps), p.tools(b.Tools), p.list(b.WeakDeps.Set, "weakDeps", b.WeakDeps.Items), p.list(b.After.Set, "after", b.After.Items),
		p.member(b.Mutex.Set, "mutex", func() {
			if !b.Mutex.Mode.Set {
				p.quote(b.Mutex.Name.Value)
				return
			}
			p.members(p.text("name", b.Mutex.Name), p.text("mode", b.Mutex.Mode))
		}),
		p.always("env", p.list(b.Env.FromHost.Set, "from_host", b.Env.FromHost.Items), p.list(b.Env.Pass.Set, "pass", b.Env.Pass.Items), p.list(b.Env.Files.Set, "files", b.Env.Files.Items), p.flag("strict", b.Env.Strict),
			p.member(true, "override", func() {
				p.members(func() bool {
					for _, v := range b.Env.Override {
						p.member(true, v.Key.Value, func() { p.quote(v.Value.Value) })()
						p.b.WriteString(", ")
					}
					return false
				})
			})),
		p.flag("cache", b.Cache),
	)
}

func (p *printer) flag(key string, b Bool) func() bool {
	return p.member(b.Set, key, func() { fmt.Fprint(&p.b, b.Value) })
}
