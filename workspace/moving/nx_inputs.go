package moving

import (
	"path"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/infer/node"
)

// nxSet is one of namedInputs.
type nxSet struct {
	name, ours string
	place      diag.Place
	items      []*node.Value
	all        bool // every file of the project: nobody says anything else
}

// nxInputs are the inputs of a target, or of a set, in our words.
type nxInputs struct {
	files, not []string // patterns; not are those behind "!", which in nx count wherever they stand
	used       []string // sets of what the project uses, by nx's names
	from       []string // references of tasks that stand for files of named projects
	env, asks  []string // variables, and commands of which what they print counts
	everywhere bool     // it looks at all that is below the root
	own        bool     // every file of the project counts
	spelled    bool     // sets are written out, and not named
	ofSet      bool     // it is what a set of the workspace means, for every project
}

// filesOf begins the name of the task that stands for a set of a project's files.
const filesOf = "files:"

// namedInputs reads them.
func (n *nx) namedInputs(v *node.Value) map[string]*nxSet {
	sets, taken := map[string]*nxSet{}, map[string]bool{workspace.ProjectSet: true, workspace.LockSet: true}
	for name, f := range n.object(v).Fields() {
		items, ok := f.Value.Items()
		if !ok {
			n.bad(f.Value.Mistake("a list"))
		}
		n.nxItems(name, items)
		s := &nxSet{name: name, place: f.Place(), items: items}
		if s.ours = name; workspace.CheckName(name) != nil || taken[name] {
			s.ours = unusedName(cleanName(name), taken)
		}
		taken[s.ours] = true
		sets[name] = s
	}
	return sets
}

// set is one of a name, as a project sees it. Without a word `default` is every file of the project.
func (n *nx) set(p *nxProject, name string) *nxSet {
	if s := p.sets[name]; s != nil {
		return s
	}
	if s := n.sets[name]; s != nil {
		return s
	}
	if name == "default" {
		return &nxSet{name: name, all: true}
	}
	return nil
}

// inputsOf are those of a target. Where it says none: `default`, of the project and of what it uses.
func (n *nx) inputsOf(p *nxProject, t *nxTarget, k *task) *nxInputs {
	r := &nxInputs{spelled: k.inherit}
	if t.inputs == nil {
		n.take(p, "default", r, k, nil)
		r.used = append(r.used, "default")
		return r
	}
	n.gather(p, *t.inputs, r, k, nil)
	if len(r.files) == 0 && len(r.not) > 0 {
		r.files, r.own = []string{"$project"}, true
	}
	return r
}

// gather adds what the items of a list mean. within are the sets that are being read.
func (n *nx) gather(p *nxProject, items []*node.Value, r *nxInputs, k *task, within []string) {
	for _, v := range items {
		text, ok := v.Text()
		if !ok {
			n.gatherObject(p, v, r, k, within)
			continue
		}
		name, up := strings.CutPrefix(text, "^")
		switch {
		case up && !strings.ContainsAny(name, "{/"):
			r.used = append(r.used, name)
		case up:
			k.notes = append(k.notes, note{v.Place(), diag.Quote(text) + " does not carry over: give the files a name among namedInputs"})
		case n.set(p, text) != nil:
			n.take(p, text, r, k, within)
		case strings.ContainsAny(text, "{/.*"):
			n.file(p, text, v, r, k)
		default:
			k.notes = append(k.notes, note{v.Place(), diag.Quote(text) + " does not carry over: there is no such set of files"})
		}
	}
}

// gatherObject adds what an object among inputs means. What is installed, and what tasks before it made, is in keys without being said.
func (n *nx) gatherObject(p *nxProject, v *node.Value, r *nxInputs, k *task, within []string) {
	text := func(key string) string {
		if found := v.Get(key); found != nil {
			return n.text(found)
		}
		return ""
	}
	up, _ := v.Get("dependencies").Bool()
	of, _ := v.Get("projects").Text()
	up = up || of == "dependencies"
	switch {
	case v.Get("input") != nil && up:
		r.used = append(r.used, text("input"))
	case v.Get("input") != nil && v.Get("projects") != nil && of != "self":
		list := []item{{of, v.Place()}}
		if of == "" {
			list = n.items(v.Get("projects"))
		}
		n.handed[text("input")] = true
		for _, q := range n.matching(list) {
			r.from = append(r.from, q.ours+":"+filesOf+text("input"))
		}
	case v.Get("input") != nil:
		if n.set(p, text("input")) != nil {
			n.take(p, text("input"), r, k, within)
		}
	case v.Get("fileset") != nil:
		n.file(p, text("fileset"), v, r, k)
	case v.Get("json") != nil:
		n.file(p, text("json"), v, r, k)
	case v.Get("env") != nil:
		r.env = append(r.env, text("env"))
	case v.Get("runtime") != nil:
		r.asks = append(r.asks, text("runtime"))
	case v.Get("externalDependencies") != nil, v.Get("dependentTasksOutputFiles") != nil, v.Get("workingDirectory") != nil:
	default:
		k.notes = append(k.notes, note{v.Place(), "this input does not carry over: haz has nothing like it"})
	}
}

// take adds what a set means: by its name where it is one of the workspace that means the same for every project.
func (n *nx) take(p *nxProject, name string, r *nxInputs, k *task, within []string) {
	s := n.set(p, name)
	if slices.Contains(within, name) {
		return
	}
	within = append(slices.Clone(within), name)
	if s.all {
		r.files, r.own = append(r.files, "$project"), true
		return
	}
	of := &nxInputs{ofSet: true}
	n.gather(p, s.items, of, &task{}, within)
	if r.spelled && of.own || p.sets[name] != nil || n.single || !n.shared(p, s, within) {
		n.gather(p, s.items, r, k, within)
		return
	}
	n.gather(p, s.items, &nxInputs{ofSet: true}, k, within) // for its notes
	if len(of.files) == 0 && len(of.not) > 0 {
		of.files, of.own = []string{"$project"}, true
	}
	r.used, r.from = append(r.used, of.used...), append(r.from, of.from...)
	r.env, r.asks = append(r.env, of.env...), append(r.asks, of.asks...)
	r.own, r.everywhere = r.own || of.own, r.everywhere || of.everywhere
	patterns := unique(slices.Concat(of.files, of.not))
	switch {
	case len(patterns) == 0:
	case len(patterns) == 1 && !r.ofSet:
		r.files = append(r.files, patterns[0])
	default:
		r.files = append(r.files, "$"+s.ours)
		n.draft.set(s.ours, patterns)
	}
}

// shared reports whether a set means the same for every project: no item of it, or of the sets in it, has a name of a project in it.
func (n *nx) shared(p *nxProject, s *nxSet, within []string) bool {
	for _, v := range s.items {
		text, _ := v.Text()
		if text == "" {
			text, _ = v.Get("fileset").Text()
		}
		if rest := strings.TrimPrefix(strings.TrimPrefix(text, "!"), "{projectRoot}"); strings.Contains(rest, "{projectRoot}") || strings.Contains(rest, "{projectName}") {
			return false
		}
		if p.sets[text] != nil {
			return false
		}
		if in := n.sets[text]; in != nil && !slices.Contains(within, text) && !n.shared(p, in, append(slices.Clone(within), text)) {
			return false
		}
	}
	return true
}

// file adds a pattern of files.
func (n *nx) file(p *nxProject, text string, v *node.Value, r *nxInputs, k *task) {
	bare, not := strings.CutPrefix(text, "!")
	path, ok := n.anchored(p, bare, nil)
	if !ok {
		k.notes = append(k.notes, note{v.Place(), diag.Quote(text) + " does not carry over: it is no path of the workspace"})
		return
	}
	if path == "**" || path == "**/*" {
		path = "$project"
	}
	if !not && (path == "/**" || strings.HasPrefix(path, "/**/")) { // of the root they are those of no project
		r.everywhere = true
		return
	}
	parsed, err := pattern.Parse(path)
	switch {
	case err != nil:
		k.notes = append(k.notes, note{v.Place(), diag.Quote(text) + " does not carry over: " + err.Error()})
	case not && path != "$project":
		r.not = append(r.not, "!"+path)
	case not:
	case path == "$project":
		r.files, r.own = append(r.files, path), true
	case parsed.IsLiteral():
		r.files = append(r.files, n.literal(p, path, r.ofSet))
	default:
		r.files = append(r.files, path)
	}
}

// literal is a path of inputs that need not be there; a folder is what lies in it.
func (n *nx) literal(p *nxProject, name string, ofSet bool) string {
	name = strings.TrimSuffix(name, "/")
	at := name
	if !strings.HasPrefix(name, "/") {
		if ofSet {
			return asGlob(name)
		}
		at = path.Join(p.dir, name)
	}
	switch {
	case n.disk.RealDir(at) != "":
		return name + "/**"
	case n.disk.Has(at) && strings.HasPrefix(name, "/"):
		return name
	}
	return asGlob(name)
}

// anchored spells a path of nx's in our words: from the project, or with a slash in front from the root. options are those that a
// path may name.
func (n *nx) anchored(p *nxProject, text string, options map[string]node.Field) (string, bool) {
	dir := strings.TrimPrefix(p.dir, "/")
	if text == "{projectRoot}" {
		text = "{projectRoot}/**"
	}
	if rest, ok := strings.CutPrefix(text, "{options."); ok {
		name, behind, _ := strings.Cut(rest, "}")
		text, _ = options[name].Value.Text()
		if text == "" {
			return "", false
		}
		text += behind
	}
	rest, ofProject := strings.CutPrefix(text, "{projectRoot}/")
	if !ofProject {
		rest = strings.TrimPrefix(text, "{workspaceRoot}")
	}
	rest = strings.NewReplacer("{projectRoot}", dir, "{projectName}", p.name, "{workspaceRoot}/", "").Replace(rest)
	rest = braced(strings.TrimPrefix(rest, "./"))
	if strings.Contains(rest, "{options.") || strings.Contains(rest, "{args.") {
		return "", false
	}
	whole := path.Join("/", rest)
	if ofProject {
		whole = path.Join(p.dir, rest)
		if strings.HasPrefix(path.Clean(rest), "../") && strings.Count(path.Clean(rest), "../") > strings.Count(p.dir, "/") {
			return "", false
		}
	}
	if below, ok := strings.CutPrefix(whole, strings.TrimSuffix(p.dir, "/")+"/"); ok && p.dir != "/" || ok && ofProject {
		return below, below != ""
	}
	return whole, whole != "/"
}

// braced spells the groups of globs that haz lacks, ?(a|b) and their like, with braces.
func braced(text string) string {
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if end := strings.IndexByte(text[i:], ')'); i+1 < len(text) && text[i+1] == '(' && strings.IndexByte("?+@*", text[i]) >= 0 && end > 0 && !strings.ContainsAny(text[i+2:i+end], "({") {
			empty := map[bool]string{true: ","}[text[i] == '?' || text[i] == '*']
			b.WriteString("{" + empty + strings.ReplaceAll(text[i+2:i+end], "|", ",") + "}")
			i += end
			continue
		}
		b.WriteByte(text[i])
	}
	return strings.NewReplacer("{,}", "").Replace(b.String())
}

// keyed puts inputs into a task: files, variables, what commands print, and the files of what the project uses.
func (n *nx) keyed(p *nxProject, r *nxInputs, k *task) {
	switch {
	case !k.inherit:
		k.inputs = append(unique(slices.Concat(r.files, r.not)), n.lock(p)...)
	case r.own: // the files of the project, and the lock file, are those of the script
		k.inputs = slices.DeleteFunc(unique(slices.Concat(r.files, r.not)), func(i string) bool { return i == "$project" })
	default: // less than all of them cannot be added to all of them
		k.inherit = false
		k.command, k.inputs = n.run(k.name), append(unique(slices.Concat(r.files, r.not)), n.lock(p)...)
	}
	if k.noCache { // there is no key
		return
	}
	for _, name := range unique(r.env) {
		if workspace.CheckEnvName(name) == nil {
			k.fromHost = append(k.fromHost, name)
		}
	}
	k.fromHost = unique(k.fromHost)
	for _, text := range unique(r.asks) {
		k.streams = append(k.streams, n.asker(text))
	}
	for _, name := range unique(r.used) {
		n.handed[name] = true
		k.deps = append(k.deps, "^uses:"+filesOf+cleanName(name))
	}
	k.deps = append(k.deps, unique(r.from)...)
}

// lock is what stands for the installed packages: what the project reaches in the lock file, or the file.
func (n *nx) lock(p *nxProject) []string {
	files := node.LockFiles(n.disk)
	if n.inferred(p) && len(files) > 0 {
		return []string{"$lock"}
	}
	return files
}

// handing is the task that stands for a set of files of a project, for those that use it.
func (n *nx) handing(p *nxProject, name string) *task {
	k := &task{name: filesOf + cleanName(name), family: "hands"}
	r := &nxInputs{}
	if n.set(p, name) != nil {
		n.take(p, name, r, k, nil)
	}
	k.notes = nil // they are told where the set is used
	k.inputs = unique(slices.Concat(r.files, r.not))
	k.command, k.internal = []string{"true"}, true
	k.deps = []string{"^uses:" + k.name}
	k.comments = []string{"these files count for what uses the project"}
	for _, text := range unique(r.asks) {
		k.streams = append(k.streams, n.asker(text))
	}
	for _, name := range unique(r.env) {
		if workspace.CheckEnvName(name) == nil {
			k.fromHost = append(k.fromHost, name)
		}
	}
	return k
}

// outputsOf are those of a target. What git tracks and a glob takes is an input as well, or it would be no source any more.
func (n *nx) outputsOf(p *nxProject, t *nxTarget, k *task) {
	type output struct {
		text  string
		place diag.Place
	}
	var list []output
	switch to := t.option("outputPath"); {
	case t.outputs != nil:
		for _, v := range *t.outputs {
			list = append(list, output{n.text(v), v.Place()})
		}
	case to != "":
		list = append(list, output{to, t.place})
	case t.name == "build" || t.name == "prepare":
		for _, text := range []string{"{workspaceRoot}/dist/{projectRoot}", "{projectRoot}/dist", "{projectRoot}/build", "{projectRoot}/public"} {
			list = append(list, output{text, t.place})
		}
	}
	for _, o := range list {
		bare, not := strings.CutPrefix(o.text, "!")
		text, ok := n.anchored(p, bare, t.options)
		switch parsed, err := pattern.Parse(text); {
		case !ok && strings.Contains(bare, "{options."): // an option that is not said
		case !ok || err != nil:
			k.notes = append(k.notes, note{o.place, diag.Quote(o.text) + " does not carry over: it is no path of the workspace"})
		case not && parsed.IsLiteral():
			k.outputs = append(k.outputs, "!"+n.madeIn(p.dir, text))
		case not:
			k.outputs = append(k.outputs, "!"+text)
		default:
			if parsed.IsLiteral() {
				text = n.madeIn(p.dir, text)
			}
			k.outputs = append(k.outputs, text)
			if parsed, err = pattern.Parse(text); err == nil && n.tracks(p.dir, parsed) {
				k.inputs = append(k.inputs, text)
			}
		}
	}
	k.outputs, k.inputs = unique(k.outputs), unique(k.inputs)
}

// asker is the task of the root that carries out a command, of which what it prints counts.
func (n *nx) asker(text string) string {
	if ref := n.askers[text]; ref != "" {
		return ref
	}
	k := &task{name: "asks-" + cleanName(text)}
	used := map[string]bool{}
	for _, other := range n.rootTask {
		used[other.name] = true
	}
	k.name = unusedName(k.name, used)
	k.shell, k.internal, k.noCache = text, true, true
	k.fromHost = n.variables(text)
	k.comments = []string{"what it prints is in the keys of the tasks that ask the same"}
	n.rootTask = append(n.rootTask, k)
	n.askers[text] = n.rootName() + ":" + k.name
	return n.askers[text]
}
