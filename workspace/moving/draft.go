package moving

import (
	"cmp"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/layout"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/config"
)

const tasksDir = layout.Dir + "/tasks"

// draft is a workspace in our words.
type draft struct {
	tool        string
	notes       []note // about the workspace as a whole
	comments    []string
	concurrency string
	defaults    body
	projects    []*project
	infer       []string  // whose manifests say which projects there are
	scripts     bool      // of package.json are tasks
	sets        []fileSet // of files, for every project
	only        []string  // those of these names, if there are any
	order       []string  // of the names of tasks, as the tool has it
	overlays    []overlay
}

// fileSet is one of files with a name.
type fileSet struct {
	name  string
	items []string
}

// set gives the workspace a set of files.
func (d *draft) set(name string, items []string) {
	if !slices.ContainsFunc(d.sets, func(s fileSet) bool { return s.name == name }) {
		d.sets = append(d.sets, fileSet{name, items})
	}
}

// project is a folder with tasks.
type project struct {
	dir, name string   // a name that is not said is that of the manifest
	inferred  bool     // it is not listed
	given     []string // tags of its manifest, which are written where it has others besides
	aliases   []string
	uses      []string
	tags      []string
	sets      []fileSet
	defaults  body
	tasks     []*task
	notes     []note
	comments  []string
}

// setsText are sets as YAML.
func setsText(sets []fileSet) string {
	if len(sets) == 0 {
		return ""
	}
	text := "files:\n"
	for _, s := range slices.SortedFunc(slices.Values(sets), func(a, b fileSet) int { return strings.Compare(a.name, b.name) }) {
		text += "  " + entry(config.YAML(s.name), flow(s.items, "  "))
	}
	return text
}

// task is one of a project. Of those with one family, name and body, which several projects have, an overlay is made.
type task struct {
	name   string
	family string // names the overlay, and the tag of the projects that have it; "": it is in none
	script string // of the manifest that the command runs
	own    bool   // it is as it is for its project alone, also where others say the same
	notes  []note
	body
}

// note says of one thing that it does not carry over, and what to do.
type note struct {
	place diag.Place
	text  string
}

// body is what a task, or the defaults of all, say.
type body struct {
	description             string
	command                 []string
	shell, shellType        string
	shellOptions            []string
	inputs, exclude         []string
	outputs                 []string
	deps, weakDeps, after   []string
	streams                 []string // deps of which what they print counts
	direct                  []string // deps of which their own outputs alone count
	os                      string   // the only system on which it is carried out
	fromHost, pass, files   []string
	override                [][2]string
	tools                   string // as it is written
	timeout, mutex, retry   string
	noCache, asks, internal bool
	appends                 bool     // arguments go behind the script
	inherit, cached         bool     // cached: that is said
	comments                []string // above the keys
}

// text is the body as YAML, each line behind indent.
func (b *body) text(indent string) string {
	var out strings.Builder
	line := func(key, value string) { out.WriteString(indent + entry(key, value)) }
	list := func(key string, items []string) {
		if len(items) > 0 {
			line(key, flow(items, indent))
		}
	}
	flag := func(key string, is bool, text string) {
		if is {
			line(key, text)
		}
	}
	for _, c := range b.comments {
		out.WriteString(indent + comment(c) + "\n")
	}
	flag("inherit", b.inherit, "true")
	flag("description", b.description != "", config.YAML(b.description))
	list("command", b.command)
	if b.shell != "" {
		out.WriteString(indent + "shell: " + script(b.shell, indent) + "\n")
	}
	flag("shell_type", b.shellType != "", b.shellType)
	list("shell_options", b.shellOptions)
	flag("args", b.appends, "append")
	list("inputs", b.inputs)
	list("exclude", b.exclude)
	list("outputs", b.outputs)
	if b.streams == nil && b.direct == nil {
		list("deps", b.deps)
	} else {
		line("deps", b.longDeps(indent))
	}
	list("weakDeps", b.weakDeps)
	list("after", b.after)
	if b.fromHost != nil || b.pass != nil || b.override != nil || b.files != nil {
		out.WriteString(indent + "env:\n")
		deeper := indent
		indent += "  "
		list("from_host", b.fromHost)
		list("pass", b.pass)
		list("files", b.files)
		if b.override != nil {
			out.WriteString(indent + "override:\n")
			for _, o := range b.override {
				fmt.Fprintf(&out, "%s  %s: %s\n", indent, o[0], config.YAML(o[1]))
			}
		}
		indent = deeper
	}
	flag("tools", b.tools != "", b.tools)
	flag("if", b.os != "", "{os: "+b.os+"}")
	flag("mutex", b.mutex != "", config.YAML(b.mutex))
	flag("timeout", b.timeout != "", b.timeout)
	flag("retry", b.retry != "", b.retry)
	flag("cache", b.noCache, "false")
	flag("cache", b.cached, "true")
	flag("interactive", b.asks, "true")
	flag("internal", b.internal, "true")
	return out.String()
}

// short is a body that completes another one, in a line; "" where it says what needs several.
func (b *body) short() string {
	lines := strings.Split(strings.TrimSuffix(b.text(""), "\n"), "\n")
	if !b.inherit || b.comments != nil || b.description != "" || len(lines) > 4 || slices.ContainsFunc(lines, func(l string) bool { return l[0] == ' ' || strings.HasSuffix(l, ":") }) {
		return ""
	}
	return "{" + strings.Join(lines, ", ") + "}"
}

// longDeps are the deps where some are more than a reference.
func (b *body) longDeps(indent string) string {
	var out strings.Builder
	for _, d := range b.deps {
		out.WriteString("\n" + indent + "  - " + config.YAML(d))
	}
	for _, d := range b.direct {
		out.WriteString("\n" + indent + "  - {task: " + config.YAML(d) + ", closure: false}")
	}
	for _, d := range b.streams {
		out.WriteString("\n" + indent + "  - {task: " + config.YAML(d) + ", streams: true}")
	}
	return out.String()
}

// entry is a key with its value, which may begin on the next line.
func entry(key, value string) string {
	if strings.HasPrefix(value, "\n") {
		return key + ":" + value + "\n"
	}
	return key + ": " + value + "\n"
}

// flow is a list on a line, or on several where it is long.
func flow(items []string, indent string) string {
	quoted := make([]string, len(items))
	for i, item := range items {
		quoted[i] = config.YAML(item)
	}
	if text := "[" + strings.Join(quoted, ", ") + "]"; len(text) < 120 {
		return text
	}
	return "\n" + indent + "  - " + strings.Join(quoted, "\n"+indent+"  - ")
}

// script is a script as YAML: as it is where it has lines that nothing is changed in.
func script(text, indent string) string {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	plain := len(lines) > 1 && !strings.HasPrefix(lines[0], " ")
	for i, l := range lines {
		plain = plain && (l != "" || i > 0 && i < len(lines)-1) && strings.TrimRight(l, " \t\r") == l && !strings.ContainsFunc(l, func(r rune) bool { return r < ' ' && r != '\t' || r >= 0x7f })
	}
	if !plain {
		return config.YAML(text)
	}
	for i, l := range lines {
		if l != "" {
			lines[i] = indent + "  " + l
		}
	}
	return "|\n" + strings.Join(lines, "\n")
}

func comment(text string) string { return "# " + strings.Join(strings.Fields(text), " ") }

// printer makes the files of a draft. A thing that does not carry over has one comment, however many projects have it.
type printer struct {
	said  map[note]bool
	notes int
}

func (p *printer) comments(indent string, notes []note) string {
	var out strings.Builder
	for _, n := range notes {
		key := note{diag.Place{File: n.place.File, Line: n.place.Line, Column: n.place.Column}, n.text}
		if p.said[key] {
			continue
		}
		p.said[key] = true
		p.notes++
		at := n.place.File
		if n.place.Line > 0 {
			at = fmt.Sprintf("%s:%d:%d", at, n.place.Line, n.place.Column)
		}
		out.WriteString(indent + comment(diag.Escape(at+": "+n.text)) + "\n")
	}
	return out.String()
}

func (p *printer) task(t *task, indent string) string {
	head := p.comments(indent, t.notes) + indent + config.YAML(t.name) + ":"
	if short := t.short(); len(indent+t.name+short) < 120 && short != "" {
		return head + " " + short + "\n"
	}
	return head + "\n" + t.text(indent+"  ")
}

// overlay are tasks that projects with a tag have.
type overlay struct {
	tag    string // its name, and what they have, unless filter says it
	tasks  []*task
	filter []string // all of these tags
	every  bool     // every project has them
}

// head is what stands above the tasks.
func (o *overlay) head() string {
	switch {
	case o.every:
		return "tasks:\n"
	case o.filter != nil:
		return "tagsFilter: " + flow(o.filter, "") + "\ntasks:\n"
	}
	return "tagsFilter: [" + config.YAML(o.tag) + "]\ntasks:\n"
}

// shared takes the tasks that several projects have out of them, and gives the projects tags in their place.
func (d *draft) shared() []overlay {
	type key struct{ family, name, body string }
	keyOf := func(t *task) key { return key{t.family, t.name, t.text("")} }
	count := map[key]int{}
	for _, p := range d.projects {
		for _, t := range p.tasks {
			count[keyOf(t)]++
		}
	}
	out := d.overlays
	tags, names := map[key]string{}, map[string]bool{}
	for _, o := range out {
		names[o.tag] = true
	}
	for _, p := range d.projects {
		p.tasks = slices.DeleteFunc(p.tasks, func(t *task) bool {
			k := keyOf(t)
			if count[k] < 2 || t.family == "" || p.inferred && p.given == nil { // tags that are written take the place of those that a manifest gives
				return false
			}
			if tags[k] == "" {
				tags[k] = unusedName(cleanName(t.family+"-"+t.name), names)
				out = append(out, overlay{tag: tags[k], tasks: []*task{t}})
			}
			p.tags = append(p.tags, tags[k])
			return true
		})
	}
	return out
}

// files are those of the draft, and how many comments about what does not carry over they have. A draft of the root alone is a workspace
// of one project.
func (d *draft) files() ([]File, int) {
	p := printer{said: map[note]bool{}}
	slices.SortFunc(d.projects, func(a, b *project) int { return cmp.Compare(a.dir, b.dir) })
	alone := len(d.projects) == 1 && d.projects[0].dir == "/" && len(d.infer) == 0
	var files []File
	settings := d.settings(&p, alone)
	if !alone {
		for _, o := range d.shared() {
			text := o.head()
			for _, t := range o.tasks {
				text += p.task(t, "  ")
			}
			files = append(files, File{tasksDir + "/" + o.tag + ".yml", []byte(text)})
		}
	}
	for _, o := range d.projects {
		said := ""
		if o.name != "" {
			said = entry("name", config.YAML(o.name))
		}
		if len(o.aliases) > 0 {
			said += entry("aliases", flow(o.aliases, ""))
		}
		if len(o.uses) > 0 {
			said += entry("uses", flow(o.uses, ""))
		}
		if len(o.tags) > 0 {
			said += entry("tags", flow(unique(slices.Concat(o.given, o.tags)), ""))
		}
		said += setsText(o.sets) + o.defaults.asDefaults()
		if alone {
			said += setsText(d.sets) + d.defaults.asDefaults()
		}
		if len(o.tasks) > 0 {
			said += "tasks:\n"
			for _, t := range o.tasks {
				said += p.task(t, "  ")
			}
		}
		if said == "" {
			continue
		}
		for _, c := range slices.Backward(o.comments) {
			said = comment(c) + "\n" + said
		}
		said = p.comments("", o.notes) + said
		if alone {
			said = settings + said
		}
		files = append(files, File{path.Join(o.dir, layout.ProjectFile), []byte(said)})
	}
	if !alone {
		files = append(files, File{layout.WorkspaceFile, []byte(settings)})
	}
	return files, p.notes
}

// settings is the text of the workspace file; where the root is the only project, the comments alone.
func (d *draft) settings(p *printer, alone bool) string {
	text := p.comments("", d.notes)
	for _, c := range d.comments {
		text += comment(c) + "\n"
	}
	if alone {
		return text
	}
	if len(d.infer) > 0 {
		text += "infer: " + d.readers() + "\n"
	}
	var listed []string
	for _, o := range d.projects {
		if !o.inferred {
			listed = append(listed, "  - "+config.YAML(pattern.Escape(o.dir))+"\n")
		}
	}
	switch {
	case len(listed) > 0:
		text += "projects:\n" + strings.Join(listed, "")
	case len(d.infer) == 0:
		text += "projects: []\n"
	}
	text += setsText(d.sets)
	if d.concurrency != "" {
		text += "concurrency: {default: " + d.concurrency + "}\n"
	}
	return text + d.defaults.asDefaults()
}

// readers is the value of infer.
func (d *draft) readers() string {
	scripts := "true"
	switch {
	case len(d.only) > 0:
		scripts = flow(d.only, "    ")
	case !d.scripts:
		return flow(d.infer, "")
	}
	each := make([]string, len(d.infer))
	for i, name := range d.infer {
		if each[i] = name + ": {}"; name == "node" {
			each[i] = name + ": {scripts: " + scripts + "}"
		}
	}
	return "{" + strings.Join(each, ", ") + "}"
}

func (b *body) asDefaults() string {
	if text := b.text("  "); text != "" {
		return "defaults:\n" + text
	}
	return ""
}

// try is what to run first: what is built, or else checked, or else any task that comes to an end.
func (d *draft) try() string {
	best, rank := "", 5
	offer := func(tasks []*task) {
		for _, t := range tasks {
			at := slices.Index([]string{"build", "test", "check", "lint"}, t.name)
			if at < 0 {
				at = 4
			}
			if at < rank && !t.internal && !t.noCache && !t.asks {
				best, rank = t.name, at
			}
		}
	}
	for _, o := range d.overlays {
		offer(o.tasks)
	}
	for _, p := range d.projects {
		offer(p.tasks)
	}
	if best == "" {
		return ""
	}
	return "^:" + best
}

// cleanName makes a name of a text; it may be no valid one.
func cleanName(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '0' <= r && r <= '9' || r == '_':
			b.WriteRune(r)
		case !strings.HasSuffix(b.String(), "-"):
			b.WriteByte('-')
		}
	}
	name := strings.Trim(b.String(), "-_")
	return name[:min(len(name), workspace.NameMax-5)]
}

// taskNames gives each name of a task in another tool one in haz: its own where that is one.
func taskNames(names []string) map[string]string {
	ours, used := map[string]string{}, map[string]bool{}
	var odd []string
	for _, name := range names {
		if workspace.CheckFamilyName(name) == nil {
			ours[name], used[name] = name, true
		} else {
			odd = append(odd, name)
		}
	}
	slices.Sort(odd)
	for _, name := range slices.Compact(odd) {
		ours[name] = unusedName(cleanName(name), used)
	}
	return ours
}

// projectName is a name in haz for a project whose name elsewhere is none here, and what is to say of that.
func projectName(name string, place diag.Place, used map[string]bool) (string, note) {
	ours := unusedName(cleanName(name), used)
	return ours, note{place, diag.Quote(name) + " is no name of a project here, so it is called " + ours}
}

// unusedName is a name that none of those used is, and one of them from now on.
func unusedName(name string, used map[string]bool) string {
	name = cmp.Or(name, "x")
	free := name
	for n := 2; used[free]; n++ {
		free = fmt.Sprintf("%s-%d", name, n)
	}
	used[free] = true
	return free
}
