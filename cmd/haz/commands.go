package main

import (
	"strings"

	"github.com/urfave/cli/v2"
)

// table is the one source of parsing, help, manual page, completion and docs/cli.md. Its options keep what they were given, so that it
// is for one command line.
type table struct {
	globals  []*option // accepted before and after the command
	commands []*command
}

func newTable() *table {
	return &table{globalOptions(), []*command{
		runCommand(), watchCommand(), checkCommand(), whyCommand(), queryCommand(), cacheCommand(), listCommand(), graphCommand(), initCommand(),
		completionCommand(), manCommand(), helpCommand(), completeCommand(),
	}}
}

func globalOptions() []*option {
	return []*option{
		toggle("help", "show help and leave").short("h"),
		toggle("version", "show the version and leave (before a command only)").short("V"),
		text("directory", "DIR", "behave as if started in DIR").short("C").completedBy(dirs),
		choice("color", "WHEN", "colour choice", "when to use colour: auto (default), always or never", "auto", "always", "never"),
		toggle("quiet", "show failures and notes only").short("q"),
		toggle("verbose", "say more: why tasks missed the cache, hit rate, longest tasks").short("v"),
		toggle("trust-owner", "work also where the workspace, or a folder above it, belongs to another user: they decide what runs"),
		text("state-dir", "DIR", "keep cache and state of the workspace in DIR, outside of it, not in .haz; many workspaces can share one").completedBy(dirs).checked(checkNotEmpty),
		text("cache-dir", "DIR", "keep the cache in DIR, outside of the workspace; many workspaces can share one").completedBy(dirs).checked(checkNotEmpty),
		choice("progress", "WHEN", "progress choice", "draw a progress line on a terminal: auto (default) or off", "auto", "off"),
	}
}

var globalExclusive = [][]string{{"quiet", "verbose"}}

func scopeOptions() (all, workspace *option) {
	return toggle("all", "every task of this directory's project; outside of every project, of the workspace"),
		toggle("workspace", "every task of every project")
}

func formatOption(what string, values ...string) *option {
	return choice("format", "FMT", "output format", what, values...)
}

func paragraphs(texts ...string) string { return strings.Join(texts, "\n\n") }
func lines(texts ...string) string      { return strings.Join(texts, "\n") }

func runCommand() *command {
	all, workspace := scopeOptions()
	return &command{Command: cli.Command{Name: "run", ArgsUsage: "[TASK...]", Usage: "run tasks and all they depend on",
		Description: paragraphs(
			"Runs the given tasks and everything they depend on. A task whose inputs, command and environment are as in an earlier run is not executed: its outputs and its printed text come back from the cache.",
			"Without TASK and without a selecting option the task `default` of this directory's project runs. With TASK, --affected and the options that ask git keep those of the given tasks that changes affect.",
		),
		Flags: []cli.Flag{
			all, workspace,
			toggle("git-changed", "only tasks with an input that differs from HEAD, or is untracked"),
			toggle("git-staged", "only tasks with an input that is staged"),
			text("git-changed-since", "REV", "only tasks with an input that differs from REV (A...B: from the merge base), or is untracked").checked(checkRevision),
			toggle("affected", "tasks whose inputs or definitions changed since the base branch, and everything downstream of them"),
			text("base", "REV", "with --affected: the base, instead of what CI says, origin/HEAD, main or master").checked(checkRevision),
			toggle("failed", "the tasks that did not succeed in the last run"),
			toggle("dry-run", "print what would run, and run nothing"),
			formatOption("with --dry-run: plain (default) or json", "plain", "json"),
			choice("output-mode", "MODE", "output mode", "live: lines as they come, prefixed; buffered: each task's output in one piece when it ends; new-only: live, and nothing of what cached tasks printed", "live", "buffered", "new-only"),
			readBy(text("jobs", "N", "run at most N tasks at once; N% of the CPUs, or auto").short("j"), parseJobs),
			toggle("fail-fast", "start nothing more after the first failure"),
			toggle("keep-going", "after a failure go on with what does not depend on it (default)"),
			choice("cache", "MODE", "cache mode", "rw: read and write (default); ro: only read; wo: run everything and store; off: neither", "rw", "ro", "wo", "off"),
			toggle("force", "run everything and store the results: --cache=wo"),
			toggle("no-cache", "neither read nor write the cache: --cache=off"),
			text("summary", "FILE", "write a summary of the run to FILE as JSON").completedBy(files).checked(checkNotEmpty),
		},
		UsageText: lines("haz run", "haz run build", "haz run lib:build app:test", "haz run --all --dry-run", "haz run --affected --base origin/main", "haz run --affected '^:test'", "haz run --failed -v"),
	}, completes: tasks, do: doRun, exclusive: [][]string{
		{"all", "workspace"},
		{"git-changed", "git-staged", "git-changed-since", "affected", "failed"},
		{"failed", "all"}, {"failed", "workspace"},
		{"cache", "force", "no-cache"},
		{"fail-fast", "keep-going"},
	}, noRefs: []string{"all", "workspace", "failed"}, needs: [][2]string{{"base", "affected"}, {"format", "dry-run"}}}
}

func checkCommand() *command {
	all, workspace := scopeOptions()
	return &command{Command: cli.Command{Name: "check", Usage: "check all configuration files and the task graph",
		Description: "Reads every file of the workspace, resolves all references and checks the graph. All errors and warnings are shown, on standard error; nothing is run.",
		Flags: []cli.Flag{
			all, workspace,
			formatOption("plain (default) or json", "plain", "json"),
		},
		UsageText: lines("haz check", "haz check --format json"),
	}, noArgs: true, argsHint: "it checks the whole workspace: haz check", do: doCheck, exclusive: [][]string{
		{"all", "workspace"},
	}}
}

func whyCommand() *command {
	return &command{Command: cli.Command{Name: "why", ArgsUsage: "TASK", Usage: "explain a task: inputs, key, what the cache has",
		Description: "Explains one task without running anything: its command, inputs, outputs, dependencies and environment, its cache key, and whether the cache has a result for it.",
		Flags: []cli.Flag{
			toggle("diff", "say what is different from the last run of the task"),
			formatOption("plain (default) or json", "plain", "json"),
		},
		UsageText: lines("haz why lib:build", "haz why build --diff"),
	}, completes: tasks, do: doWhy}
}

func queryCommand() *command {
	expr := func(long, atom, help string, c complement) *option {
		return text(long, "EXPR", help+" (atoms: "+atom+")").completedBy(c)
	}
	return &command{Command: cli.Command{Name: "query", Usage: "list tasks that match filters",
		Description: paragraphs(
			"Lists the tasks that pass every given filter, one `project:task` a line. Candidates are the tasks of this directory's project, or of the workspace outside of every project.",
			"EXPR combines atoms with & (and), | (or), ! (not) and parentheses. See `haz help query`.",
		),
		Flags: []cli.Flag{
			expr("tags", "tag names", "the task's project carries the tag", tags),
			expr("projects", "project names", "the task belongs to the project", projects),
			expr("tasks", "task names", "the task has the name", taskNames),
			expr("inputs", "path patterns", "an input pattern of the task has a path in common with the pattern", nothing),
			expr("outputs", "path patterns", "an output pattern of the task has a path in common with the pattern", nothing),
			expr("child-of", "name:TASK, project:NAME, tag:NAME", "a direct dependency of the task is one of these", nothing),
			expr("parent-of", "name:TASK, project:NAME, tag:NAME", "the task is a direct dependency of one of these", nothing),
			expr("depends-on", "name:TASK, project:NAME, tag:NAME", "the task depends on one of these, directly or not", nothing),
			expr("ancestor-of", "name:TASK, project:NAME, tag:NAME", "one of these depends on the task, directly or not", nothing),
			toggle("has-deps", "the task has dependencies"),
			toggle("no-deps", "the task has none"),
			toggle("has-inputs", "the task has inputs"),
			toggle("no-inputs", "the task has none"),
			toggle("has-outputs", "the task has outputs"),
			toggle("no-outputs", "the task has none"),
			toggle("mutex", "the task declares a mutex"),
			toggle("workspace", "ask about all tasks, whatever the directory"),
			toggle("fail-empty", "exit 1 when no task matches, so that `t=$(haz query --fail-empty ...) && haz run $t` runs nothing then"),
			formatOption("plain (default) or json", "plain", "json"),
		},
		UsageText: lines("haz query --tags 'go & !slow'", "haz query --depends-on name:build --workspace", "haz query --inputs '/lib/**'"),
	}, noArgs: true, argsHint: "what to list is said by options: haz query --workspace --projects NAME --tasks NAME", do: doQuery, exclusive: [][]string{{"has-deps", "no-deps"}, {"has-inputs", "no-inputs"}, {"has-outputs", "no-outputs"}}}
}

func cacheCommand() *command {
	return &command{Command: cli.Command{Name: "cache", Usage: "look at the cache, or make it smaller"}, subs: []*command{
		{Command: cli.Command{Name: "clear", Usage: "remove the whole cache",
			Description: "Removes everything in the cache of this workspace. Running tasks are not harmed: they just store nothing.",
		}, noArgs: true, do: doCacheClear},
		{Command: cli.Command{Name: "info", Usage: "say what is in the cache",
			Description: "Counts what is in the cache of this workspace, and changes nothing.",
			Flags: []cli.Flag{
				formatOption("plain (default) or json", "plain", "json"),
			},
		}, noArgs: true, do: doCacheInfo},
		{Command: cli.Command{Name: "clean", Usage: "remove damaged, old or surplus entries",
			Description: paragraphs(
				"Removes entries by the modes given, in the order of the options below. Modes that are not given come from `cache.clean` of the workspace file.",
				"DURATION is numbers with a unit s, m, h, d or w, like 90d or 7d12h. BYTES is a number with a unit KB, MB, GB, TB (powers of 1000), KiB, MiB, GiB, TiB (powers of 1024) or none.",
			),
			Flags: []cli.Flag{
				toggle("soft", "damaged entries, and what crashed runs have left behind"),
				readBy(text("max-age", "DURATION", "good entries older than that"), readDuration),
				readBy(text("max-size", "BYTES", "the entries unused for longest, until the rest is no larger than that"), readSize),
				toggle("dry-run", "say what would be removed, and remove nothing"),
			},
			UsageText: lines("haz cache clean --soft", "haz cache clean --max-age 4w --max-size 5GiB --dry-run"),
		}, noArgs: true, do: doCacheClean},
	}}
}

func initCommand() *command {
	return &command{Command: cli.Command{Name: "init", Usage: "make this directory a workspace",
		Description: "Asks on the screen which directories are projects, and writes `.haz/workspace.yml` in the current directory and a `haz.yml` into each project that has none. A workspace that exists is never touched.",
		Flags: []cli.Flag{
			toggle("yes", "write a workspace without projects, and ask nothing"),
		},
		UsageText: lines("haz init", "haz init --yes"),
	}, noArgs: true, do: doInit}
}

func listCommand() *command {
	return &command{Command: cli.Command{Name: "list", Usage: "list tasks or projects, for people",
		Description: "Lists the tasks of this directory's project, or of the workspace outside of every project, with what they have.",
		Flags: []cli.Flag{
			toggle("projects", "list projects instead of tasks"),
			toggle("workspace", "all projects, whatever the directory"),
			formatOption("plain (default) or json", "plain", "json"),
		},
		UsageText: lines("haz list", "haz list --projects --workspace"),
	}, noArgs: true, argsHint: "the tasks of one project, or of one name: haz query --workspace --projects NAME --tasks NAME", do: doList}
}

func graphCommand() *command {
	return &command{Command: cli.Command{Name: "graph", ArgsUsage: "[TASK...]", Usage: "print the task graph",
		Description: "Prints the graph of the given tasks and all they depend on, or of all tasks of this directory's project or the workspace. Edges point from what comes first to what comes after.",
		Flags: []cli.Flag{
			toggle("workspace", "all tasks, whatever the directory"),
			readBy(text("edges", "KINDS", "kinds of edges, separated by commas: hard, soft, producer (default hard,soft)"), parseEdges),
			formatOption("dot (default), json or mermaid", "dot", "json", "mermaid"),
		},
		UsageText: lines("haz graph app:build | dot -Tsvg -o graph.svg", "haz graph --workspace --edges hard,soft,producer --format mermaid"),
	}, completes: tasks, do: doGraph, noRefs: []string{"workspace"}}
}

func completionCommand() *command {
	return &command{Command: cli.Command{Name: "completion", ArgsUsage: "bash|zsh|fish", Usage: "print a completion script for a shell",
		Description: "Prints a script that teaches a shell to complete commands, options, values and tasks.",
		UsageText:   lines("haz completion bash > ~/.local/share/bash-completion/completions/haz", "haz completion zsh > \"${fpath[1]}/_haz\"", "haz completion fish > ~/.config/fish/completions/haz.fish"),
	}, completes: shells, do: doCompletion}
}

func manCommand() *command {
	return &command{Command: cli.Command{Name: "man", Usage: "print the manual page",
		Description: "Prints the manual page, in the format that `man` reads.",
		UsageText:   "haz man | man -l -",
	}, noArgs: true, do: doMan}
}

func helpCommand() *command {
	return &command{Command: cli.Command{Name: "help", ArgsUsage: "[COMMAND...|TOPIC]", Usage: "explain a command or a topic",
		Description: "Explains a command or a topic. `haz help topics` lists the topics.",
		UsageText:   lines("haz help run", "haz help globs"),
	}, completes: commandNames, do: doHelp}
}

// completeCommand is what the completion scripts call.
func completeCommand() *command {
	return &command{Command: cli.Command{Name: "__complete", ArgsUsage: "SHELL WORD...", Usage: "answer a completion script", Hidden: true}, do: doComplete}
}
