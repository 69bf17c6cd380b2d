package moving

import (
	"cmp"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/config"
	"github.com/haz-build/haz/workspace/infer/node"
)

// nxSilent are keys of nx.json that change nothing here.
var nxSilent = set("$schema analytics cli defaultProject installation maxCacheSize neverConnectToCloud npmScope pluginsConfig tui useDaemonProcess useInferencePlugins useLegacyCache version workspaceLayout")

// settings reads nx.json.
func (n *nx) settings() {
	d := &n.draft
	say := func(key string, f node.Field, text string) {
		d.notes = append(d.notes, note{f.Place(), diag.Quote(key) + " does not carry over: " + text})
	}
	for key, f := range n.config.Fields() {
		switch v := f.Value; key {
		case "namedInputs":
			n.sets = n.namedInputs(v)
		case "targetDefaults":
			n.targetDefaults(f)
		case "plugins":
			n.pluginsOf(v)
		case "parallel":
			n.parallel(v)
		case "tasksRunnerOptions":
			n.runner(f)
		case "defaultBase":
			say(key, f, "it is said where it counts: haz run --affected --base "+n.text(v))
		case "affected":
			if base := v.Get("defaultBase"); base != nil {
				say(key, f, "it is said where it counts: haz run --affected --base "+n.text(base))
			}
		case "nxCloudAccessToken", "nxCloudId", "nxCloudUrl", "nxCloudEncryptionKey":
			if n.once("cloud") {
				say(key, f, config.ForeignSays("workspace", "remoteCache"))
			}
		case "cacheDirectory":
			say(key, f, "a place of its own for the cache of haz: cache: {location: DIRECTORY}")
		case "generators", "release", "sync":
			say(key, f, "nx goes on to read it")
		case "extends":
			n.preset(f)
		default:
			if !nxSilent[key] {
				d.notes = append(d.notes, notCarried("workspace", key, f))
			}
		}
	}
	d.defaults.pass = slices.Clone(let)
}

func (n *nx) targetDefaults(f node.Field) {
	if _, list := f.Value.Items(); list {
		n.draft.notes = append(n.draft.notes, note{f.Place(), `"targetDefaults" does not carry over as a list: write it as an object, by names of targets and executors`})
		return
	}
	for name, t := range n.object(f.Value).Fields() {
		n.defaults = append(n.defaults, n.nxTarget(name, t))
	}
}

func (n *nx) parallel(v *node.Value) {
	if has := numbers(v.Source()); len(has) == 1 && has[0] > 0 {
		n.draft.concurrency = v.Source()
	}
}

// runner reads the settings of versions before 17, of the runner that is called default.
func (n *nx) runner(f node.Field) {
	options := f.Value.Get("default").Get("options")
	for key, o := range options.Fields() {
		switch key {
		case "cacheableOperations":
			for _, i := range n.items(o.Value) {
				n.kept[i.text] = true
			}
		case "parallel":
			n.parallel(o.Value)
		case "runtimeCacheInputs":
			for _, i := range n.items(o.Value) {
				n.draft.notes = append(n.draft.notes, note{i.place, `"runtimeCacheInputs" does not carry over: ask for it where it counts, in a task with streams: true among deps`})
			}
		case "accessToken":
			if n.once("cloud") {
				n.draft.notes = append(n.draft.notes, note{o.Place(), diag.Quote(key) + " does not carry over: " + config.ForeignSays("workspace", "remoteCache")})
			}
		}
	}
}

// preset reads `extends`, of which two are part of nx: they say what is cached, and what is built first.
func (n *nx) preset(f node.Field) {
	name := n.text(f.Value)
	if name != "nx/presets/npm.json" && name != "nx/presets/core.json" {
		n.draft.notes = append(n.draft.notes, note{f.Place(), `"extends" does not carry over: what ` + diag.Quote(name) + " says is not read"})
		return
	}
	for _, op := range []string{"build", "lint", "test", "e2e"} {
		n.kept[op] = true
	}
}

// relations resolves what projects say of each other: implicitDependencies, which may be globs.
func (n *nx) relations() {
	for _, p := range n.projects {
		for _, i := range p.implicit { // "!" counts after the others
			if strings.HasPrefix(i.text, "!") {
				n.excluded(p, i)
				continue
			}
			for _, q := range n.matching([]item{i}) {
				if q != p {
					p.uses = append(p.uses, q)
				}
			}
		}
	}
}

// notUsed takes away what "!" takes away. What a manifest says of a project outside of circles cannot be unsaid.
func (n *nx) notUsed() {
	c := n.used()
	for _, p := range n.projects {
		p.uses = slices.DeleteFunc(p.uses, func(q *nxProject) bool { return slices.Contains(p.without, q) })
		for _, i := range p.implicit {
			name, not := strings.CutPrefix(i.text, "!")
			if q := n.byNx[name]; not && q != nil && p.pkg != nil && q.pkg != nil && slices.Contains(p.pkg.uses, q.pkg) && !slices.Contains(c.groups[p.dir], q.dir) {
				p.notes = append(p.notes, note{i.place, diag.Quote(i.text) + " does not carry over: a project uses what its manifest says"})
			}
		}
	}
}

// rootName is our name of the root.
func (n *nx) rootName() string {
	for _, p := range n.projects {
		if p.dir == "/" {
			return p.ours
		}
	}
	if n.packages.root != nil && n.infers {
		return n.packages.root.ours
	}
	return "workspace"
}

// rootNx is nx's name of the root; "" where it is no project there.
func (n *nx) rootNx() string {
	if len(n.projects) > 0 && n.projects[0].dir == "/" {
		return n.projects[0].name
	}
	return ""
}

// write makes the draft.
func (n *nx) write() {
	d := &n.draft
	if n.infers {
		d.infer, d.scripts = []string{"node"}, n.scripts
	}
	byProject := map[*nxProject]*project{}
	for _, p := range n.projects {
		o := &project{dir: p.dir, inferred: n.inferred(p), notes: p.notes}
		if !o.inferred || p.ours != p.pkg.Name {
			o.name = p.ours
		}
		if o.inferred {
			o.given = p.pkg.Tags
		}
		for _, q := range p.uses {
			o.uses = append(o.uses, q.ours)
		}
		o.uses = unique(o.uses)
		n.tagsOf(p, o)
		for _, t := range p.targets {
			o.tasks = append(o.tasks, n.task(p, t, ""))
			for _, c := range t.configs {
				if c != t.config && !t.serves() && workspace.CheckFamilyName(n.tasks[t.name]+":"+c) == nil && p.target(t.name+":"+c) == nil {
					o.tasks = append(o.tasks, n.task(p, t, c))
				}
			}
		}
		byProject[p] = o
		d.projects = append(d.projects, o)
	}
	n.hand(byProject)
	n.unwind(byProject)
	n.ofRoot()
	for _, o := range d.projects {
		o.apart()
	}
	n.common()
}

// tagsOf are the tags of a project: as they are where they are names here.
func (n *nx) tagsOf(p *nxProject, o *project) {
	for _, i := range p.tags {
		name := i.text
		if workspace.CheckName(name) != nil {
			if name = cleanName(name); name == "" {
				continue
			}
			if n.once("tag " + i.text) {
				o.notes = append(o.notes, note{i.place, diag.Quote(i.text) + " is no name of a tag here, so it is called " + name})
			}
		}
		o.tags = append(o.tags, name)
	}
	o.tags = unique(o.tags)
}

// hand gives each project the tasks that stand for its files, of the sets that count for those who use a project.
func (n *nx) hand(byProject map[*nxProject]*project) {
	done := map[string]bool{}
	for len(done) < len(n.handed) { // a set may say that another one of what is used counts
		for _, name := range sortedKeys(n.handed) {
			if done[name] {
				continue
			}
			done[name] = true
			for _, p := range n.projects {
				if p.dir != "/" || len(n.projects) == 1 {
					byProject[p].tasks = append(byProject[p].tasks, n.handing(p, name))
				}
			}
		}
	}
}

// ofRoot adds the tasks of the root that ask something, and with scripts those of the root that nx does not look at.
func (n *nx) ofRoot() {
	d := &n.draft
	at := slices.IndexFunc(d.projects, func(o *project) bool { return o.dir == "/" })
	if at < 0 {
		o := &project{dir: "/", inferred: n.infers && n.packages.root != nil}
		if !o.inferred {
			o.name = n.rootName()
		}
		d.projects = append(d.projects, o)
		at = len(d.projects) - 1
	}
	root := d.projects[at]
	if n.scripts && n.packages.root != nil {
		n.rootScripts(root)
	}
	root.tasks = append(root.tasks, n.rootTask...)
	if len(root.tasks) == 0 && !root.inferred {
		d.projects = slices.Delete(d.projects, at, at+1)
	}
}

// rootScripts are the scripts of a root with packages. One that starts targets in all projects by nx stands for what they do; nothing of the
// others is kept, since they may look into every package (AUX-038).
func (n *nx) rootScripts(root *project) {
	root.tags, root.given = []string{"root"}, nil // tasks of packages are none of its own
	for _, f := range n.packages.root.scripts {
		if lifecycle(f.Key, n.packages.root.has) || workspace.CheckFamilyName(f.Key) != nil || slices.ContainsFunc(root.tasks, func(t *task) bool { return t.name == f.Key }) {
			continue
		}
		text, _ := f.Value.Text()
		t := &task{name: f.Key, body: body{inherit: true, noCache: true}}
		if deps := n.startsAll(f.Key, text, root); len(deps) > 0 {
			t.body = body{command: []string{"true"}, noCache: true, deps: deps, comments: []string{everyPackage}}
			if strings.Contains(text, "--exclude") {
				t.comments = append(t.comments, "what it leaves out is left out where that is said: haz run --exclude")
			}
		}
		root.tasks = append(root.tasks, t)
	}
}

// startsAll are the tasks that a script of the root starts in all projects, or in all that are affected, if it does nothing else.
func (n *nx) startsAll(script, text string, root *project) (deps []string) {
	words := strings.Fields(text)
	for len(words) > 0 && slices.Contains([]string{"npx", "pnpm", "yarn", "bunx", "exec", "run"}, words[0]) {
		words = words[1:]
	}
	if len(words) < 2 || words[0] != "nx" || words[1] != "run-many" && words[1] != "affected" || strings.ContainsAny(text, "&|;<>$") {
		return nil
	}
	names, takes := []string{}, false // the words behind -t
	for _, w := range words[2:] {
		key, value, set := strings.Cut(w, "=")
		switch {
		case slices.Contains([]string{"-t", "--target", "--targets"}, key):
			takes = !set
			names = append(names, strings.FieldsFunc(value, func(r rune) bool { return r == ',' })...)
		case strings.HasPrefix(w, "-"):
			if takes = false; key == "-p" || key == "--projects" || key == "--configuration" || key == "-c" {
				return nil
			}
		case takes:
			names = append(names, strings.Split(w, ",")...)
		}
	}
	for _, name := range names {
		name = n.tasks[name]
		is := func(t *task) bool { return t.name == name }
		inOthers := slices.ContainsFunc(n.draft.projects, func(o *project) bool { return o != root && slices.ContainsFunc(o.tasks, is) })
		if inOthers {
			deps = append(deps, "^~:"+name)
		}
		if top := n.byNx[n.rootNx()]; top != nil && top.target(name) != nil && name != script {
			deps = append(deps, "~:"+name)
		} else if !inOthers {
			return nil
		}
	}
	return unique(deps)
}

// common makes overlays of tasks that every package has, and of completed scripts that every package which has the script completes in the
// same way: they hold for packages to come as well.
func (n *nx) common() {
	d := &n.draft
	if !n.infers {
		return
	}
	type seen struct {
		tasks map[string][]*task // by body
		count int
	}
	all, members := map[string]*seen{}, 0
	for _, o := range d.projects {
		if !o.inferred || o.dir == "/" {
			continue
		}
		members++
		for _, t := range o.tasks {
			if all[t.name] == nil {
				all[t.name] = &seen{tasks: map[string][]*task{}}
			}
			text := t.text("")
			all[t.name].tasks[text] = append(all[t.name].tasks[text], t)
			all[t.name].count++
		}
	}
	var shared []*task
	for _, s := range all {
		for _, same := range s.tasks {
			if t := same[0]; len(s.tasks) == 1 && (t.inherit || s.count == members && members > 1) {
				shared = append(shared, t)
			}
		}
	}
	if len(shared) == 0 {
		return
	}
	slices.SortFunc(shared, func(a, b *task) int { return cmp.Compare(a.name, b.name) })
	d.overlays = append(d.overlays, overlay{tag: "node", tasks: shared})
	for _, o := range d.projects {
		if o.inferred && o.dir != "/" {
			o.tasks = slices.DeleteFunc(o.tasks, func(t *task) bool {
				return slices.ContainsFunc(shared, func(s *task) bool { return s.name == t.name })
			})
		}
	}
}
