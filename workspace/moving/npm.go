package moving

import (
	"context"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace/infer/node"
)

// npm is a workspace that has scripts and nothing that says more of them.
type npm struct {
	*packages
	names map[string]string // of tasks: ours by script
	used  map[*pkg]bool     // by another one
}

// readNPM reads the scripts of package.json, of a workspace or of one package. What a script makes nothing says: so only those are kept
// that look at something, by their names. Each comes after `build` of what its package uses.
func readNPM(ctx context.Context, s *source) {
	n := &npm{packages: s.packages(ctx), used: map[*pkg]bool{}}
	n.nameTasks()
	for _, p := range n.all {
		for _, u := range p.uses {
			n.used[u] = true
		}
	}
	for _, p := range n.all {
		s.draft.projects = append(s.draft.projects, n.projectOf(p))
	}
	if !n.alone && n.root != nil {
		if o := n.ofRoot(); len(o.tasks) > 0 {
			s.draft.projects = append(s.draft.projects, o)
		}
	}
	s.draft.defaults.inputs = node.LockFiles(s.disk)
	s.draft.defaults.pass = slices.Clone(let)
}

func (n *npm) nameTasks() {
	var names []string
	every := n.all
	if n.root != nil && !n.alone {
		every = append(slices.Clone(every), n.root)
	}
	for _, p := range every {
		for _, f := range p.scripts {
			names = append(names, f.Key)
		}
	}
	n.names = taskNames(names)
}

func (n *npm) projectOf(p *pkg) *project {
	o := n.project(p)
	for _, f := range p.scripts {
		if !lifecycle(f.Key, p.has) {
			o.tasks = append(o.tasks, n.task(f))
		}
	}
	if n.used[p] && !p.has["build"] { // what uses it depends on its files all the same (S-61)
		o.tasks = append(o.tasks, passedThrough("build", []string{"$project"}, []string{"^uses:build"}))
	}
	return o
}

// ofRoot is the root of a workspace of several packages. What it runs may look into all of them, and their files are not in its keys: nothing
// of it is kept. A script that starts the script of its name in all packages stands for what they do (AUX-038).
func (n *npm) ofRoot() *project {
	o := n.project(n.root)
	for _, f := range n.root.scripts {
		if lifecycle(f.Key, n.root.has) {
			continue
		}
		t := n.task(f)
		t.family = ""
		text, _ := f.Value.Text()
		switch {
		case delegates(text, f.Key) && slices.ContainsFunc(n.all, func(p *pkg) bool { return p.has[f.Key] }):
			t.body = body{command: []string{"true"}, deps: []string{"^~:" + t.name}, noCache: true, comments: []string{everyPackage}}
		case onlyLooks(f.Key):
			t.noCache, t.comments = true, []string{"it may look into every package, whose files are not in its key"}
		}
		o.tasks = append(o.tasks, t)
	}
	return o
}

const everyPackage = "the script starts this in every package; haz does that itself"

func (n *npm) task(f node.Field) *task {
	k := &task{name: n.names[f.Key], family: "has"}
	k.command, k.script, k.inputs = n.run(f.Key), f.Key, []string{"$project"}
	if k.name != f.Key {
		k.notes = append(k.notes, note{f.Place(), diag.Quote(f.Key) + " is no name of a task here, so it is called " + k.name})
	}
	if !serves(f.Key) && len(n.used) > 0 {
		k.deps = []string{"^uses:build"}
	}
	if k.noCache = !onlyLooks(f.Key); k.noCache && !serves(f.Key) {
		k.comments = []string{keepIt}
	}
	return k
}

// lookers are scripts that look at the package and make nothing that others read; servers are those that come to no end.
var (
	lookers = []string{"test", "tests", "lint", "check", "typecheck", "type-check", "check-types", "types", "tsc", "eslint"}
	servers = []string{"dev", "start", "serve", "watch", "preview", "storybook"}
)

const keepIt = "to keep what it makes, list that in `outputs`, and remove `cache: false`"

// onlyLooks and serves read the name of a script: the part before its first colon says what it is.
func onlyLooks(script string) bool {
	kind, _, _ := strings.Cut(script, ":")
	return slices.Contains(lookers, kind) && !strings.Contains(script, "fix") && !strings.Contains(script, "watch")
}

func serves(script string) bool {
	kind, _, _ := strings.Cut(script, ":")
	return slices.Contains(servers, kind)
}

// lifecycle reports whether the package manager runs a script by itself: when it installs or publishes, or around another one of the package.
func lifecycle(name string, has map[string]bool) bool {
	switch name {
	case "install", "prepare", "prepublish", "prepublishOnly", "prepack", "dependencies", "preinstall", "postinstall", "preprepare", "postprepare", "postpack", "preversion", "version", "postversion":
		return true
	}
	return node.Around(name, has)
}
