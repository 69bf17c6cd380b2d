package moving

import (
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/config"
	shell "github.com/haz-build/haz/workspace/script"
)

// body makes a task of a project one of ours.
func (m *moon) body(p *moonProject, t *moonTask) *task {
	k := &task{name: m.taskName(t.name), notes: slices.Clone(t.notes)}
	if k.name != t.name {
		k.notes = append(k.notes, note{t.place, diag.Quote(t.name) + " is no name of a task here, so it is called " + k.name})
	}
	r := &moonRun{moon: m, of: p, def: t, task: k, root: t.options.is("runFromWorkspaceRoot") && p.dir != "/"}
	k.description = t.description
	r.settings()
	r.inputs()
	r.outputs()
	r.environment()
	r.command()
	r.dependencies()
	r.judge()
	return k
}

// taskName is our name of a task.
func (m *moon) taskName(name string) string {
	if workspace.CheckFamilyName(name) == nil {
		return name
	}
	return cleanName(name)
}

// moonSays is what to do where an option has no counterpart, and nothing where haz needs none.
var moonSays = map[string]string{
	"runInCI":        "what a CI runs it names: haz run --affected '^:test'",
	"affectedFiles":  "a task runs whole, or comes from the cache",
	"cacheKey":       "what the key is made of is inputs, env and tools",
	"cacheLifetime":  "a result is kept until something in its key changes; haz cache clean --max-age 7d removes old ones",
	"priority":       "tasks start in the order of the graph",
	"runInSyncPhase": "haz has nothing like it",
	"unixShell":      "",
	"windowsShell":   "",
}

// settings are the options that are keys of ours, and notes about others.
func (r *moonRun) settings() {
	k, o := r.task, r.def.options
	server := r.def.preset == "server" || r.def.preset == "watcher"
	k.internal = o.is("internal")
	k.asks = o.is("interactive")
	k.noCache = !k.asks && (server || r.def.preset != "" || o.is("persistent"))
	if text := o.text("cache"); text != "" && !k.asks {
		k.noCache = text == "false"
	}
	if server || o.is("persistent") {
		r.note(r.def.place, "persistent", config.ForeignSays("task", "persistent"))
	}
	if r.def.preset == "utility" && !k.asks {
		k.comments = append(k.comments, "moon gives it the terminal; interactive: true does so here")
	}
	if text := o.text("mutex"); text != "" {
		if k.mutex = text; workspace.CheckName(text) != nil {
			k.mutex = cleanName(text)
		}
	}
	if text := o.text("timeout"); text != "" {
		k.timeout = text + "s"
	}
	if text := o.text("retryCount"); text != "" && text != "0" {
		k.retry = text
	}
	r.systems()
	for _, key := range sortedKeys(o) {
		say, known := moonSays[key]
		text := o.text(key)
		switch {
		case key == "runInCI" && (text == "true" || text == "affected"), key == "affectedFiles" && text == "false":
		case known && say != "":
			k.notes = append(k.notes, note{o[key].Place, diag.Quote(key) + " does not carry over: " + say})
		case key == "outputStyle":
			k.notes = append(k.notes, foreign("task", o[key]))
		}
	}
	r.envFiles()
}

// systems is where the task is carried out.
func (r *moonRun) systems() {
	p := r.def.options["os"]
	systems := textsOf(p.Value)
	switch len(systems) {
	case 0:
	case 1:
		r.task.os = systems[0]
	default:
		r.note(p.Place, "os", "a task is carried out on one system, or on all")
	}
}

// envFiles are files of variables. A later one wins, as there.
func (r *moonRun) envFiles() {
	p := r.def.options["envFile"]
	files := textsOf(p.Value)
	if len(files) == 1 && files[0] == "false" {
		return
	}
	if len(files) == 1 && files[0] == "true" {
		if files = []string{".env"}; !r.one {
			files = []string{"/.env", "/.env.local", ".env", ".env.local", ".env." + r.def.name, ".env." + r.def.name + ".local"}
		}
	}
	for _, f := range files {
		_, text, ok := r.spelled(moonInput{text: f, place: p.Place})
		if !ok {
			continue
		}
		if strings.ContainsAny(text, "*?[{$") {
			r.note(p.Place, f, "a file of variables is one file")
			continue
		}
		r.task.files = append(r.task.files, text+"?")
	}
}

// whole is a text that is a variable of the host and nothing else.
var whole = lazily(`^\$(?:\{([A-Z0-9_]+)\}|([A-Z0-9_]+))$`)

// environment are the variables that the task sets, and those of its project that a script has to put together.
func (r *moonRun) environment() {
	for _, e := range r.of.env {
		if r.variableKind(e) == madeByScript && !slices.ContainsFunc(r.def.env, func(o moonEnv) bool { return o.name == e.name }) {
			r.set(e, r.task)
		}
	}
	for _, e := range r.def.env {
		r.set(e, r.task)
	}
}

// projectEnv puts variables of a project into what all its tasks have.
func (m *moon) projectEnv(p *moonProject) {
	k := &task{}
	r := &moonRun{moon: m, of: p, def: &moonTask{}, task: k}
	for _, e := range p.env {
		if r.variableKind(e) != madeByScript {
			r.set(e, k)
		}
	}
	p.made.defaults = k.body
	p.made.notes = append(p.made.notes, k.notes...)
}

type moonVariableKind int

const (
	setToText moonVariableKind = iota
	fromTheHost
	madeByScript
)

// variableKind is how a variable gets its value here.
func (r *moonRun) variableKind(e moonEnv) moonVariableKind {
	probe := *r
	probe.task, probe.shell = &task{}, false
	text := probe.tokens(e.text)
	name := whole().FindStringSubmatch(text)
	switch {
	case name != nil && (name[1] == e.name || name[2] == e.name):
		return fromTheHost
	case probe.shell || strings.Contains(text, "$"):
		return madeByScript
	}
	return setToText
}

// set sets a variable of the environment.
func (r *moonRun) set(e moonEnv, k *task) {
	if workspace.CheckEnvName(e.name) != nil {
		r.note(e.place, e.name, "it is no name of a variable")
		return
	}
	switch r.variableKind(e) {
	case fromTheHost:
		k.fromHost = append(k.fromHost, e.name)
	case madeByScript:
		r.quoted = true
		text := moonDefault().ReplaceAllString(r.tokens(e.text), "${$1:-$2}")
		r.quoted = false
		r.lines = append(r.lines, "export "+e.name+`="`+strings.NewReplacer(`"`, `\"`, "`", "\\`").Replace(text)+`"`)
	default:
		text := e.text
		if function, arg, ok := tokenFunction(text); ok {
			text = strings.Join(r.listed(function, arg), ",")
		}
		k.override = append(k.override, [2]string{e.name, r.tokens(text)})
	}
}

// command is what the task runs: a command where no shell has to read it, otherwise a script.
func (r *moonRun) command() {
	k, t := r.task, r.def
	var words []string
	text := ""
	switch {
	case t.scripted:
		text = moonDefault().ReplaceAllString(r.tokens(r.functions(t.script)), "${$1:-$2}")
	case t.command == nil || slices.Contains([]string{"noop", "nop", "no-op"}, string(t.command.words[0])):
		k.command, k.inputs = []string{"true"}, nil // it brings others, and does nothing itself
		return
	default:
		for _, w := range slices.Concat(t.command.words, t.args.words) {
			words = append(words, r.words(w)...)
		}
		text = strings.Join(words, " ")
	}
	study, ok := shell.Look(text)
	if !ok {
		r.note(t.place, t.name, "its script is none that a shell reads")
		k.command, k.noCache = []string{"false"}, true
		return
	}
	fails := t.options.is("allowFailure")
	bins := r.usesBins(study)
	if plain, ok := plainWords(words); ok && !t.scripted && !bins && !r.root && len(r.lines) == 0 && !fails && !r.shell {
		k.command = plain
		return
	}
	r.script(text, study, bins, fails)
}

// script puts the text, with what comes before it, into the task.
func (r *moonRun) script(text string, study shell.Study, bins, fails bool) {
	k, t := r.task, r.def
	lines := r.moonEnv(study)
	lines = append(lines, r.lines...)
	if bins {
		lines = append(lines, `PATH="`+r.binFolders()+`:$PATH"`)
	}
	if r.root {
		lines = append(lines, `cd "${HAZ_WORKSPACE_ROOT}"`)
	}
	several := t.scripted && (study.Lines > 1 || strings.Contains(text, ";"))
	if several && !fails && !strings.HasPrefix(text, "set -e") {
		lines = append(lines, "set +e") // as in moon: what counts is how the last command ends
	}
	text = strings.TrimSpace(text)
	if fails {
		if study.Lines > 1 || strings.Contains(text, "#") {
			text = "(\n" + text + "\n)"
		}
		text += " || true"
		k.noCache = true
		k.comments = append(k.comments, "a failure of it does not matter, and what may have failed is not kept")
	}
	k.shell = strings.Join(append(lines, text), "\n")
	if all, ok := shell.Look(k.shell); ok {
		for _, name := range all.Variables {
			if !byDefault(name) && !isSet(k.override, name) {
				k.fromHost = append(k.fromHost, name)
			}
		}
		if all.Bash || several || strings.Contains(text, "[[") || strings.Contains(text, "pipefail") { // moon has bash carry out scripts
			k.shellType, k.shellOptions = "bash", []string{"-e"}
		}
	}
	k.fromHost = unique(k.fromHost)
	k.appends = !t.scripted && !fails && shell.Appendable("sh", k.shell)
}

// moonEnv sets variables that moon gives to each task, where the script reads them.
func (r *moonRun) moonEnv(study shell.Study) (lines []string) {
	for _, name := range study.Variables {
		switch name {
		case "MOON_WORKSPACE_ROOT":
			lines = append(lines, name+`="${HAZ_WORKSPACE_ROOT}"`)
		case "MOON_PROJECT_ROOT":
			lines = append(lines, name+`="${HAZ_PROJECT_ROOT}"`)
		case "MOON_PROJECT_ID":
			r.task.override = append(r.task.override, [2]string{name, r.of.id})
		case "MOON_PROJECT_SOURCE":
			r.task.override = append(r.task.override, [2]string{name, strings.TrimPrefix(r.of.dir, "/")})
		case "MOON_TASK_ID":
			r.task.override = append(r.task.override, [2]string{name, r.def.name})
		case "MOON_TARGET":
			r.task.override = append(r.task.override, [2]string{name, r.of.id + ":" + r.def.name})
		}
	}
	return lines
}

// plainWord is a word that means itself to every shell.
var plainWord = lazily(`^[A-Za-z0-9_./:@,%+=-]+$`)

// plainWords are the words of a command without what quotes them. ok is false where a shell has to read one.
func plainWords(words []string) (out []string, ok bool) {
	for i, w := range words {
		switch inner := strings.TrimSuffix(strings.TrimPrefix(w, w[:min(1, len(w))]), w[:min(1, len(w))]); {
		case plainWord().MatchString(w) && (i > 0 || !strings.Contains(w, "=")):
			out = append(out, w)
		case len(w) > 1 && w[0] == '\'' && w[len(w)-1] == '\'' && !strings.ContainsAny(inner, "'\n"):
			out = append(out, inner)
		case len(w) > 1 && w[0] == '"' && w[len(w)-1] == '"' && !strings.ContainsAny(inner, "\"\\$`\n"):
			out = append(out, inner)
		default:
			return nil, false
		}
	}
	return out, len(out) > 0 && !shellWords[out[0]]
}

// runsOn are the toolchains of the task: those that it says, or else those of its project.
func (r *moonRun) runsOn() (ids []string) {
	if len(r.def.toolchains) > 0 {
		return r.def.toolchains
	}
	for _, id := range sortedKeys(r.of.toolchains) {
		if r.of.toolchains[id] {
			ids = append(ids, id)
		}
	}
	return ids
}

// inPath are programs that are no part of packages.
var inPath = set(`node npm npx pnpm pnpx yarn bun bunx deno corepack proto moon git docker docker-compose podman kubectl helm terraform cargo rustc rustup go make cmake python python3 uv pip pip3 poetry ruby bundle php composer java mvn gradle
	sh bash zsh cat cp mv rm mkdir rmdir ln ls touch echo printf test [ [[ true false : cd pwd export set unset exit grep sed awk find xargs sort uniq head tail wc tr cut tee date sleep env time curl wget tar zip unzip gzip chmod chown diff jq yq which command exec source . eval read trap wait kill shift return local`)

// usesBins reports whether a program of the script comes from a package: moon has those in PATH for projects of node and bun.
func (r *moonRun) usesBins(study shell.Study) bool {
	if !slices.ContainsFunc(r.runsOn(), func(id string) bool { return id == "node" || id == "bun" || id == "javascript" }) {
		return false
	}
	return slices.ContainsFunc(study.Commands, func(c shell.Command) bool {
		words, ok := unwrapped(c.Words)
		return ok && words[0].Known && !inPath[words[0].Text] && !strings.Contains(words[0].Text, "/")
	})
}

// binFolders are the folders of programs of packages, as PATH has them: those of the project, and of the folders that it lies in.
func (r *moonRun) binFolders() string {
	folders := []string{"${HAZ_PROJECT_ROOT}/node_modules/.bin"}
	if r.of.dir != "/" {
		folders = append(folders, "${HAZ_WORKSPACE_ROOT}/node_modules/.bin")
	}
	return strings.Join(folders, ":")
}

// judge says whether the result is kept.
func (r *moonRun) judge() {
	k := r.task
	switch {
	case k.asks || k.noCache:
	case r.timed:
		k.noCache = true
		k.comments = append(k.comments, "it asks for the time, which is another one in each run")
	case r.git:
		k.noCache = true
		k.comments = append(k.comments, "it uses git, and what git knows is in no key")
	case len(k.inputs) == 0 && !k.groups():
		k.noCache = true
		k.comments = append(k.comments, "nothing says what it reads; list that in `inputs`, and remove `cache: false`")
	}
	if k.noCache || k.asks {
		k.inputs = slices.DeleteFunc(k.inputs, func(i string) bool { return i == "$lock" && len(k.outputs) == 0 })
	}
}
