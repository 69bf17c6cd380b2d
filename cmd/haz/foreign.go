package main

import (
	"github.com/haz-build/haz/diag"
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
	"--target": "", "--targets": "", "-t": "", "--task": "", "--tasks": "", "--project": "", "--projects": "", "-p": "", "--filter": "", "--scope": "", "--only": "",
	"--no-color": "never", "--no-colour": "never",
	"--watch": "to run again when inputs change: haz watch", "-w": "to run again when inputs change: haz watch",
	"--graph": "the graph: haz graph", "--list": "the tasks: haz list", "-l": "the tasks: haz list", "--ls": "the tasks: haz list",
}

// foreignOption is a hint for an option that the command does not have; "" for one that nobody has.
func (p *parsed) foreignOption(name string) string {
	ours, known := foreignOptions[name]
	switch {
	case !known:
		return ""
	case ours == "never":
		return `write "--color=never"`
	case ours == "" && p.commandName() == "run":
		return "tasks are named by project and task: haz run lib:build; many of them: t=$(haz query --fail-empty --projects lib --tasks build) && haz run $t"
	case find(p.all(), ours) != nil:
		return diag.DidYouMean(ours)
	case len(ours) > 0 && ours[0] != '-':
		return ours
	}
	return ""
}

// foreignCommands are commands of others, and ours.
var foreignCommands = map[string]string{
	"affected": "haz run --affected", "ls": "haz list", "tasks": "haz list", "targets": "haz list", "show": "haz list", "projects": "haz list --projects",
	"clean": "haz cache clean", "prune": "haz cache clean", "gc": "haz cache clean", "reset": "haz cache clear", "explain": "haz why TASK", "validate": "haz check", "lint-config": "haz check",
	"exec": "haz run TASK", "start": "haz run TASK", "x": "haz run TASK", "do": "haz run TASK", "run-many": "haz run --workspace", "all": "haz run --workspace", "everything": "haz run --workspace",
	"dry-run": "haz run --dry-run", "plan": "haz run --dry-run", "new": "haz init", "create": "haz init", "dag": "haz graph", "dot": "haz graph", "completions": "haz completion",
	"version": "haz --version",
}
