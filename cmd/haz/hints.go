package main

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/haz-build/haz"
	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/workspace"
)

// foreignOptions are options of make, ninja, turbo, nx, lage, Task and kin, and what does the same here: an option of the same
// command, or a sentence.
var foreignOptions = map[string]string{
	"--concurrency": "--jobs", "--parallel": "--jobs", "--max-parallel": "--jobs", "--maxParallel": "--jobs", "--workers": "--jobs", "--max-workers": "--jobs",
	"--dry": "--dry-run", "--just-print": "--dry-run", "--plan": "--dry-run", "-n": "--dry-run",
	"--continue": "--keep-going", "--no-bail": "--keep-going", "-k": "--keep-going", "--bail": "--fail-fast", "--nx-bail": "--fail-fast", "--exit-on-error": "--fail-fast",
	"--skip-nx-cache": "--no-cache", "--skip-cache": "--no-cache", "--skipCache": "--no-cache", "--rerun": "--force", "--always-make": "--force", "-B": "--force", "-f": "--force",
	"--output-logs": "--output-mode", "--output-style": "--output-mode", "--outputStyle": "--output-mode", "--log-order": "--output-mode",
	"--since": "--git-changed-since", "--changed-since": "--git-changed-since", "--changed": "--git-changed", "--staged": "--git-staged",
	"--cwd": "--directory", "--chdir": "--directory", "--dir": "--directory", "--root": "--directory", "-d": "--directory",
	"--silent": "--quiet", "-s": "--quiet", "--summarize": "--summary", "--json": "--format", "--output": "--format",
	"--recursive": "--workspace", "--all-projects": "--workspace", "--everything": "--workspace", "-r": "--workspace",
	"--target": "--tasks", "--targets": "--tasks", "-t": "--tasks", "--task": "--tasks", "--project": "--projects", "-p": "--projects", "--scope": "--projects", "--only": "",
	"--query": "--filter", "--select": "--filter", "--where": "--filter", "--skip": "--exclude", "--ignore": "--exclude", "-x": "--exclude", "--exclude-task": "--exclude",
	"--no-color": "never", "--no-colour": "never",
	"--watch": "to run again when inputs change: haz watch", "-w": "to run again when inputs change: haz watch",
	"--graph": "the graph: haz graph", "--list": "the tasks: haz list", "-l": "the tasks: haz list", "--ls": "the tasks: haz list",
}

// foreignOption is a hint for an option that the command does not have; "" for one that nobody has.
func (l *line) foreignOption(name string) string {
	ours, known := foreignOptions[name]
	switch {
	case !known:
		return ""
	case ours == "never":
		return `write "--color=never"`
	case ours == "" && pathName(l.path) == "run":
		return "tasks are named by project and task: haz run lib:build; many of them: haz run --projects lib --tasks build"
	case find(l.here(), ours) != nil:
		return diag.DidYouMean(ours)
	case len(ours) > 0 && ours[0] != '-':
		return ours
	}
	return ""
}

// suggestOption is a hint for an option that is spelled wrongly.
func (l *line) suggestOption(name string) string {
	var candidates []string
	for _, o := range l.here() {
		candidates = append(candidates, o.dashed())
	}
	bare := strings.TrimLeft(name, "-")
	if !strings.HasPrefix(name, "--") && slices.Contains(candidates, "--"+bare) {
		return diag.DidYouMean("--" + bare)
	}
	if hint := suggest(name, candidates); hint != "" {
		return hint
	}
	// An abbreviation is refused, so that a script still means the same when an option is added; but it is understood.
	longer := slices.DeleteFunc(candidates, func(c string) bool { return len(name) <= len("--") || !strings.HasPrefix(c, name) })
	if len(longer) != 1 {
		return ""
	}
	return diag.DidYouMean(longer[0])
}

func suggest(word string, candidates []string) string {
	if n := diag.Nearest(word, candidates); n != "" {
		return diag.DidYouMean(n)
	}
	return ""
}

// foreignCommands are commands of others, and ours.
var foreignCommands = map[string]string{
	"affected": "haz run --affected", "ls": "haz list", "tasks": "haz list", "targets": "haz list", "show": "haz list", "projects": "haz list --projects",
	"clean": "haz cache clean", "prune": "haz cache clean", "gc": "haz cache clean", "reset": "haz cache clear", "explain": "haz why TASK", "validate": "haz check", "lint-config": "haz check",
	"start": "haz run TASK", "x": "haz run TASK", "do": "haz run TASK", "run-many": "haz run --workspace", "all": "haz run --workspace", "everything": "haz run --workspace",
	"dry-run": "haz run --dry-run", "plan": "haz run --dry-run", "new": "haz init", "create": "haz init", "dag": "haz graph", "dot": "haz graph", "completions": "haz completion",
	"version": "haz --version",
}

// meant is a hint for a word that is no reference. The workspace is read for it, and left alone when that does not work.
func (v *invocation) meant(word string, err error) string {
	if word == "" {
		return "an empty word is what a query without a match leaves: haz query --fail-empty ends with an error then, and haz run --filter runs nothing"
	}
	if w, err := v.open(); err == nil {
		defer w.Close()
		if hint := v.asCommand(w.Meant(word)); hint != "" {
			return hint
		}
	}
	var r *workspace.ReferenceError
	if errors.As(err, &r) {
		return r.Hint
	}
	return hintOf(err)
}

// asCommand is a hint in the words of the command.
func (v *invocation) asCommand(hint string) string {
	if pathName(v.line.path) == "why" {
		hint = strings.NewReplacer("to run a task of it", "to ask about a task of it", "haz run ", "haz why ").Replace(hint)
	}
	return hint
}

// isTask adds to the error about a word in the place of a command that `haz run` would find such a task, or what it would say of the
// word. The workspace is read for it, and left alone when that does not work.
func (v *invocation) isTask(err error) error {
	l := v.line
	var usage *usageError
	if !errors.As(err, &usage) || v.stand(l.given["directory"]) != nil || v.dirErr != nil {
		return err
	}
	ws := haz.Glance(v.ctx, v.dir, haz.WithEnvironment(v.environ)) // mistakes in other tasks are told by haz run
	if ws == nil {
		return err
	}
	defer ws.Close()
	resolves := func(text string) bool {
		r, err := haz.ParseReference(text)
		if err != nil {
			return false
		}
		found, err := ws.Resolve(r) // where some is missing, nothing is no error
		return err == nil && len(found) > 0
	}
	if resolves(l.unknown) {
		usage.d.Hint = "that is a task: haz run " + quoted(l.unknown)
		if len(l.rest) == 1 && resolves(l.rest[0]+":"+l.unknown) { // build lib
			usage.d.Hint = "that is a task: haz run " + quoted(l.rest[0]+":"+l.unknown)
		}
	} else if usage.d.Hint == noCommand {
		usage.d.Hint = cmp.Or(asRun(ws.Meant(l.unknown)), noCommand)
	}
	if r, bad := haz.ParseReference(l.unknown); usage.d.Hint == noCommand && bad == nil && r.Form != workspace.RefBare && partly(ws.W.Partial) {
		usage.d.Hint = "tasks are run by haz run " + quoted(l.unknown) + ", which tells the mistakes in the files of the workspace, too"
	}
	return err
}

// partly reports whether a task may be missing that is there once mistakes are mended.
func partly(p workspace.Partial) bool { return p.Projects || p.Tags || len(p.Tasks) > 0 }

// asRun is a hint that names a task, in the place of a command: a task alone is none.
func asRun(hint string) string {
	ref, ok := strings.CutPrefix(hint, `did you mean "`)
	if ref, whole := strings.CutSuffix(ref, `"?`); ok && whole && !strings.ContainsAny(ref, "\"\\ ") {
		return "that is a task: haz run " + ref
	}
	return hint
}

// expanded is one mistake in the place of many, where words for tasks that none was found for are the names of all files here, or of all that
// begin alike: what a shell makes of a wildcard without quotes (AUX-046). Folders alone may be meant as projects.
func (v *invocation) expanded(err error) error {
	words := v.line.args
	var bad *diag.Errors
	if c := v.line.command(); c == nil || c.completes != tasks || v.dirErr != nil || len(words) < 2 || !errors.As(err, &bad) {
		return err
	}
	for _, d := range bad.List {
		if d.Place != (diag.Place{}) || !slices.ContainsFunc(words, func(w string) bool { return strings.Contains(d.Message, diag.Quote(w)) }) {
			return err
		}
	}
	prefix, ok := v.namesOfFiles(words)
	if !ok {
		return err
	}
	d := diag.Diagnostic{Message: fmt.Sprintf("these %d words are the names of the files here, which the shell puts in the place of a wildcard without quotes", len(words)),
		Hint: fmt.Sprintf("in quotes it is one for names of tasks: haz %s %s", pathName(v.line.path), quoted(prefix+"*"))}
	return &diag.Errors{List: diag.List{d}}
}

// namesOfFiles reports whether words are the names of all files of the directory that begin as they do; not all of them are folders.
func (v *invocation) namesOfFiles(words []string) (prefix string, all bool) {
	entries, err := fsys.Machine().List(v.dir)
	if err != nil {
		return "", false
	}
	kinds := map[string]fsys.Kind{}
	for _, e := range entries {
		kinds[e.Name] = e.Kind
	}
	prefix = words[0]
	folders := true
	for _, w := range words {
		kind, there := kinds[w]
		if !there {
			return "", false
		}
		folders = folders && kind == fsys.Dir
		for !strings.HasPrefix(w, prefix) {
			prefix = prefix[:len(prefix)-1]
		}
	}
	shown := 0
	for _, e := range entries {
		if strings.HasPrefix(e.Name, prefix) && (prefix != "" || e.Name[0] != '.') {
			shown++
		}
	}
	return prefix, shown == len(words) && !folders
}
