package moving

import (
	"path"
	"path/filepath"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/pattern"
)

// moonVariable is a token of moon: the longer names come first, as there.
var (
	moonVariable = lazily(`\$(arch|language|osFamily|os|projectAliases|projectAlias|projectChannel|projectId|projectLayer|projectType|projectName|projectTitle|projectOwner|projectRoot|projectSource|projectStack|project|target|taskId|taskToolchains|taskToolchain|taskPlatform|taskType|task|timestamp|datetime|date|time|vcsBranch|vcsRepository|vcsRevision|workingDir|workspaceRoot)`)
	moonFunction = lazily(`@([a-z]+)\(([0-9A-Za-z_-]+)\)`)
	// moonDefault is a substitution with a default in the words of version 1.
	moonDefault = lazily(`\$\{([A-Z0-9_]+):([^-+}?=][^}]*)\}`)
)

// moonTask in a project, while it becomes one of ours.
type moonRun struct {
	*moon
	of     *moonProject
	def    *moonTask
	task   *task
	root   bool     // it runs in the root of the workspace
	lines  []string // before the command
	git    bool     // it asks git
	timed  bool     // it asks for the time
	shell  bool     // it has something that only a shell expands
	static bool     // what is expanded is a path
	quoted bool     // what is expanded stands between double quotes
}

// tokens are the values of moon's variables in a text. Those that are known only when the task runs are for the shell to expand, as one word.
func (r *moonRun) tokens(text string) string {
	var out strings.Builder
	at := 0
	for _, found := range moonVariable().FindAllStringIndex(text, -1) {
		value := r.token(text[found[0]+1 : found[1]])
		if inQuotes := r.quoted || strings.Count(text[:found[0]], `"`)%2 == 1; !inQuotes && strings.HasPrefix(value, "$") {
			value = `"` + value + `"`
		}
		out.WriteString(text[at:found[0]] + value)
		at = found[1]
	}
	return out.String() + text[at:]
}

func (r *moonRun) token(name string) string {
	p := r.of
	expanded := func(text string) string { r.shell = true; return text }
	asked := func(command string) string { r.git, r.shell = true, true; return "$(git " + command + ")" }
	now := func(format string) string { r.timed, r.shell = true, true; return "$(date +" + format + ")" }
	or := func(text string) string {
		if text == "" {
			return "unknown"
		}
		return text
	}
	switch name {
	case "workspaceRoot", "workingDir":
		if r.static {
			return "/"
		}
		return expanded("${HAZ_WORKSPACE_ROOT}")
	case "projectRoot":
		if r.static {
			return p.dir
		}
		return expanded("${HAZ_PROJECT_ROOT}")
	case "projectSource":
		return strings.TrimPrefix(p.dir, "/")
	case "project", "projectId":
		return p.id
	case "projectAlias", "projectAliases":
		return p.alias
	case "projectChannel", "projectOwner":
		return p.meta[strings.ToLower(strings.TrimPrefix(name, "project"))]
	case "projectTitle", "projectName":
		return p.meta["title"] + p.meta["name"]
	case "projectLayer", "projectType":
		return or(p.layer)
	case "projectStack":
		return or(p.stack)
	case "language":
		return or(p.language)
	case "target":
		return p.id + ":" + r.def.name
	case "task", "taskId":
		return r.def.name
	case "taskToolchain", "taskToolchains", "taskPlatform":
		return or(strings.Join(r.runsOn(), ","))
	case "taskType":
		switch {
		case len(r.def.outputs) > 0:
			return "build"
		case r.def.preset != "" || r.def.options.is("persistent"):
			return "run"
		}
		return "test"
	case "os", "osFamily", "arch":
		r.note(r.def.place, "$"+name, "it is that of the machine where this was written")
		return map[string]string{"os": strings.Replace(r.options.OS, "darwin", "macos", 1), "osFamily": "unix", "arch": strings.NewReplacer("amd64", "x86_64", "arm64", "aarch64").Replace(r.options.Arch)}[name]
	case "vcsBranch":
		return asked("branch --show-current")
	case "vcsRevision":
		return asked("rev-parse HEAD")
	case "vcsRepository":
		return asked("remote get-url origin")
	case "date":
		return now("%F")
	case "datetime":
		return now("%F_%T")
	case "time":
		return now("%T")
	}
	return now("%s") // timestamp
}

// note says of something in the task that it does not carry over.
func (r *moonRun) note(at diag.Place, what, why string) {
	r.task.notes = append(r.task.notes, note{at, diag.Quote(what) + " does not carry over: " + why})
}

// words are what a word of a command stands for: several where it is a token that lists files.
func (r *moonRun) words(w moonWord) []string {
	text := string(w)
	if function, arg, ok := tokenFunction(text); ok {
		return r.listed(function, arg)
	}
	text = r.functions(text)
	if moonVariable().MatchString(text) && strings.HasPrefix(text, "'") { // a shell expands nothing in these quotes, and moon does
		text = strings.ReplaceAll(text, "'", `"`)
	}
	return []string{moonDefault().ReplaceAllString(r.tokens(text), "${$1:-$2}")}
}

// functions expands those that stand in a text.
func (r *moonRun) functions(text string) string {
	return moonFunction().ReplaceAllStringFunc(text, func(token string) string {
		m := moonFunction().FindStringSubmatch(token)
		return strings.Join(r.listed(m[1], m[2]), " ")
	})
}

// listed are the words that a token function stands for.
func (r *moonRun) listed(function, arg string) (words []string) {
	switch function {
	case "meta":
		return []string{r.of.meta[arg]}
	case "in", "out":
		return r.indexed(function, arg)
	case "group", "files", "dirs", "globs", "root":
	default:
		r.note(r.def.place, "@"+function+"("+arg+")", "haz has nothing like it")
		return nil
	}
	items, there := r.of.groups[arg]
	if !there {
		r.note(r.def.place, "@"+function+"("+arg+")", "there is no such file group")
		return nil
	}
	for _, i := range r.formatted(items, function) {
		words = append(words, r.here(i))
	}
	return words
}

// formatted are the paths of a file group as a token function wants them.
func (r *moonRun) formatted(items []moonInput, function string) (paths []string) {
	for _, i := range items {
		text := strings.TrimSuffix(strings.TrimPrefix(i.text, "./"), "/")
		p, err := pattern.Parse(text)
		switch {
		case i.text == "" || err != nil || strings.HasPrefix(i.text, "!"):
		case function == "group", function == "globs" && !p.IsLiteral():
			paths = append(paths, text)
		case function == "globs":
		case p.IsLiteral():
			full := path.Join(r.of.dir, text)
			if p.IsAbsolute() {
				full = text
			}
			if function == "files" && r.disk.Has(full) || function != "files" && r.disk.RealDir(full) != "" {
				paths = append(paths, text)
			}
		default:
			paths = append(paths, r.lying(p.Anchor(r.of.dir), function == "files")...)
		}
	}
	if function == "root" {
		return []string{commonDir(paths)}
	}
	if function == "files" || function == "dirs" {
		r.note(r.def.place, "@"+function, "these are the ones that were there when this was written")
	}
	return unique(paths)
}

// lyingMax is how many files a token may stand for.
const lyingMax = 1000

// lying are the files, or folders, of a project that a glob takes, from the project.
func (r *moonRun) lying(p pattern.Pattern, files bool) (names []string) {
	var visit func(dir string)
	visit = func(dir string) {
		for _, e := range r.entries(dir) {
			name := path.Join(dir, e.Name)
			if isDir := e.Kind == fsys.Dir; isDir == !files && p.Match(name) && len(names) < lyingMax {
				names = append(names, strings.TrimPrefix(strings.TrimPrefix(name, r.of.dir), "/"))
			}
			if e.Kind == fsys.Dir && e.Name[0] != '.' && e.Name != "node_modules" && p.MayMatchBelow(name) {
				visit(name)
			}
		}
	}
	visit(r.of.dir)
	return names
}

// commonDir is the lowest folder that all paths lie in: "." is the project's.
func commonDir(paths []string) string {
	if len(paths) == 0 {
		return "."
	}
	common := strings.Split(paths[0], "/")
	for _, p := range paths[1:] {
		parts := strings.Split(p, "/")
		n := 0
		for n < len(common) && n < len(parts) && common[n] == parts[n] {
			n++
		}
		common = common[:n]
	}
	if len(common) == 0 {
		return "."
	}
	return strings.Join(common, "/")
}

// indexed is the path of an input or output, by its number.
func (r *moonRun) indexed(function, arg string) (words []string) {
	items := r.def.inputs
	if function == "out" {
		items = r.def.outputs
	}
	at := 0
	for _, c := range arg {
		if c < '0' || c > '9' || at > 1000 {
			at = len(items)
			break
		}
		at = at*10 + int(c-'0')
	}
	if at >= len(items) {
		r.note(r.def.place, "@"+function+"("+arg+")", "there is no such path")
		return nil
	}
	if i := items[at]; i.group != "" {
		return r.listed(functionOf(i.format), i.group)
	} else if i.text != "" {
		return []string{r.here(strings.TrimSuffix(i.text, "/"))}
	}
	return nil
}

// functionOf is the token function that gathers a file group as a format says.
func functionOf(format string) string {
	if format == "" || format == "static" {
		return "group"
	}
	return format
}

// here is a path as it is called where the task runs.
func (r *moonRun) here(text string) string {
	r.static = true
	text = r.tokens(text)
	r.static = false
	full, from := path.Join(r.of.dir, text), r.of.dir
	if strings.HasPrefix(text, "/") {
		full = text
	}
	if r.root {
		from = "/"
	}
	rel, err := filepath.Rel(from, full)
	if err != nil {
		return text
	}
	return rel
}
