package main

// globals are accepted before and after the command.
var globals = []option{
	{long: "help", short: "h", help: "show help and leave"},
	{long: "version", short: "V", help: "show the version and leave (before a command only)"},
	{long: "directory", short: "C", arg: "DIR", completes: dirs, help: "behave as if started in DIR"},
	{long: "color", arg: "WHEN", values: []string{"auto", "always", "never"}, noun: "colour choice", help: "when to use colour: auto (default), always or never"},
	{long: "quiet", short: "q", help: "show failures and notes only"},
	{long: "verbose", short: "v", help: "say more: why tasks missed the cache, hit rate, longest tasks"},
	{long: "trust-owner", help: "work also where the workspace, or a folder above it, belongs to another user: they decide what runs"},
	{long: "state-dir", arg: "DIR", completes: dirs, check: checkNotEmpty, help: "keep cache and state of the workspace in DIR, outside of it, not in .haz; many workspaces can share one"},
	{long: "cache-dir", arg: "DIR", completes: dirs, check: checkNotEmpty, help: "keep the cache in DIR, outside of the workspace; many workspaces can share one"},
	{long: "progress", arg: "WHEN", values: []string{"auto", "off"}, noun: "progress choice", help: "draw a progress line on a terminal: auto (default) or off"},
}

var globalExclusive = [][]string{{"quiet", "verbose"}}

var scopeOptions = []option{
	{long: "all", help: "every task of this directory's project; outside of every project, of the workspace"},
	{long: "workspace", help: "every task of every project"},
}

func formatOption(what string, values ...string) option {
	return option{long: "format", arg: "FMT", values: values, noun: "output format", help: what}
}

// commands is filled by init, because completion and help read the table that they stand in.
var commands []*command

func init() {
	commands = []*command{
		runCommand(), watchCommand(), checkCommand(), whyCommand(), queryCommand(), cacheCommand(), listCommand(), graphCommand(), initCommand(),
		completionCommand(), manCommand(), helpCommand(), completeCommand(),
	}
}

func runCommand() *command {
	return &command{name: "run", args: "[TASK...]", brief: "run tasks and all they depend on", completes: tasks, do: doRun,
		about: []string{
			"Runs the given tasks and everything they depend on. A task whose inputs, command and environment are as in an earlier run is not executed: its outputs and its printed text come back from the cache.",
			"Without TASK and without a selecting option the task `default` of this directory's project runs. With TASK, --affected and the options that ask git keep those of the given tasks that changes affect.",
		},
		opts: []option{
			scopeOptions[0], scopeOptions[1],
			{long: "git-changed", help: "only tasks with an input that differs from HEAD, or is untracked"},
			{long: "git-staged", help: "only tasks with an input that is staged"},
			{long: "git-changed-since", arg: "REV", help: "only tasks with an input that differs from REV (A...B: from the merge base), or is untracked", check: checkRevision},
			{long: "affected", help: "tasks whose inputs or definitions changed since the base branch, and everything downstream of them"},
			{long: "base", arg: "REV", help: "with --affected: the base, instead of what CI says, origin/HEAD, main or master", check: checkRevision},
			{long: "failed", help: "the tasks that did not succeed in the last run"},
			{long: "dry-run", help: "print what would run, and run nothing"},
			formatOption("with --dry-run: plain (default) or json", "plain", "json"),
			{long: "output-mode", arg: "MODE", values: []string{"live", "buffered", "new-only"}, noun: "output mode", help: "live: lines as they come, prefixed; buffered: each task's output in one piece when it ends; new-only: live, and nothing of what cached tasks printed"},
			{long: "jobs", short: "j", arg: "N", help: "run at most N tasks at once; N% of the CPUs, or auto", check: checkJobs},
			{long: "fail-fast", help: "start nothing more after the first failure"},
			{long: "keep-going", help: "after a failure go on with what does not depend on it (default)"},
			{long: "cache", arg: "MODE", values: []string{"rw", "ro", "wo", "off"}, noun: "cache mode", help: "rw: read and write (default); ro: only read; wo: run everything and store; off: neither"},
			{long: "force", help: "run everything and store the results: --cache=wo"},
			{long: "no-cache", help: "neither read nor write the cache: --cache=off"},
			{long: "summary", arg: "FILE", completes: files, help: "write a summary of the run to FILE as JSON", check: checkNotEmpty},
		},
		exclusive: [][]string{
			{"all", "workspace"},
			{"git-changed", "git-staged", "git-changed-since", "affected", "failed"},
			{"failed", "all"}, {"failed", "workspace"},
			{"cache", "force", "no-cache"},
			{"fail-fast", "keep-going"},
		},
		noRefs: []string{"all", "workspace", "failed"},
		needs:  [][2]string{{"base", "affected"}, {"format", "dry-run"}},
		examples: []string{
			"haz run", "haz run build", "haz run lib:build app:test", "haz run --all --dry-run",
			"haz run --affected --base origin/main", "haz run --affected '^:test'", "haz run --failed -v",
		},
	}
}

func checkCommand() *command {
	return &command{name: "check", brief: "check all configuration files and the task graph", noArgs: true, argsHint: "it checks the whole workspace: haz check", do: doCheck,
		about: []string{"Reads every file of the workspace, resolves all references and checks the graph. All errors and warnings are shown, on standard error; nothing is run."},
		opts:  []option{scopeOptions[0], scopeOptions[1], formatOption("plain (default) or json", "plain", "json")},
		exclusive: [][]string{
			{"all", "workspace"},
		},
		examples: []string{"haz check", "haz check --format json"},
	}
}

func whyCommand() *command {
	return &command{name: "why", args: "TASK", brief: "explain a task: inputs, key, what the cache has", completes: tasks, do: doWhy,
		about: []string{"Explains one task without running anything: its command, inputs, outputs, dependencies and environment, its cache key, and whether the cache has a result for it."},
		opts: []option{
			{long: "diff", help: "say what is different from the last run of the task"},
			formatOption("plain (default) or json", "plain", "json"),
		},
		examples: []string{"haz why lib:build", "haz why build --diff"},
	}
}

func queryCommand() *command {
	expr := func(long, atom, help string, c complement) option {
		return option{long: long, arg: "EXPR", help: help + " (atoms: " + atom + ")", completes: c}
	}
	return &command{name: "query", brief: "list tasks that match filters", noArgs: true, argsHint: "what to list is said by options: haz query --workspace --projects NAME --tasks NAME", do: doQuery,
		about: []string{
			"Lists the tasks that pass every given filter, one `project:task` a line. Candidates are the tasks of this directory's project, or of the workspace outside of every project.",
			"EXPR combines atoms with & (and), | (or), ! (not) and parentheses. See `haz help query`.",
		},
		opts: []option{
			expr("tags", "tag names", "the task's project carries the tag", tags),
			expr("projects", "project names", "the task belongs to the project", projects),
			expr("tasks", "task names", "the task has the name", taskNames),
			expr("inputs", "path patterns", "an input pattern of the task has a path in common with the pattern", nothing),
			expr("outputs", "path patterns", "an output pattern of the task has a path in common with the pattern", nothing),
			expr("child-of", "name:TASK, project:NAME, tag:NAME", "a direct dependency of the task is one of these", nothing),
			expr("parent-of", "name:TASK, project:NAME, tag:NAME", "the task is a direct dependency of one of these", nothing),
			expr("depends-on", "name:TASK, project:NAME, tag:NAME", "the task depends on one of these, directly or not", nothing),
			expr("ancestor-of", "name:TASK, project:NAME, tag:NAME", "one of these depends on the task, directly or not", nothing),
			{long: "has-deps", help: "the task has dependencies"}, {long: "no-deps", help: "the task has none"},
			{long: "has-inputs", help: "the task has inputs"}, {long: "no-inputs", help: "the task has none"},
			{long: "has-outputs", help: "the task has outputs"}, {long: "no-outputs", help: "the task has none"},
			{long: "mutex", help: "the task declares a mutex"},
			{long: "workspace", help: "ask about all tasks, whatever the directory"},
			{long: "fail-empty", help: "exit 1 when no task matches, so that `t=$(haz query --fail-empty ...) && haz run $t` runs nothing then"},
			formatOption("plain (default) or json", "plain", "json"),
		},
		exclusive: [][]string{{"has-deps", "no-deps"}, {"has-inputs", "no-inputs"}, {"has-outputs", "no-outputs"}},
		examples:  []string{"haz query --tags 'go & !slow'", "haz query --depends-on name:build --workspace", "haz query --inputs '/lib/**'"},
	}
}

func cacheCommand() *command {
	return &command{name: "cache", brief: "look at the cache, or make it smaller", subs: []*command{
		{name: "clear", brief: "remove the whole cache", noArgs: true, do: doCacheClear,
			about: []string{"Removes everything in the cache of this workspace. Running tasks are not harmed: they just store nothing."}},
		{name: "info", brief: "say what is in the cache", noArgs: true, do: doCacheInfo,
			about: []string{"Counts what is in the cache of this workspace, and changes nothing."},
			opts:  []option{formatOption("plain (default) or json", "plain", "json")}},
		{name: "clean", brief: "remove damaged, old or surplus entries", noArgs: true, do: doCacheClean,
			about: []string{
				"Removes entries by the modes given, in the order of the options below. Modes that are not given come from `cache.clean` of the workspace file.",
				"DURATION is numbers with a unit s, m, h, d or w, like 90d or 7d12h. BYTES is a number with a unit KB, MB, GB, TB (powers of 1000), KiB, MiB, GiB, TiB (powers of 1024) or none.",
			},
			opts: []option{
				{long: "soft", help: "damaged entries, and what crashed runs have left behind"},
				{long: "max-age", arg: "DURATION", help: "good entries older than that", check: checkDuration},
				{long: "max-size", arg: "BYTES", help: "the entries unused for longest, until the rest is no larger than that", check: checkSize},
				{long: "dry-run", help: "say what would be removed, and remove nothing"},
			},
			examples: []string{"haz cache clean --soft", "haz cache clean --max-age 4w --max-size 5GiB --dry-run"}},
	}}
}

func initCommand() *command {
	return &command{name: "init", brief: "make this directory a workspace", noArgs: true, do: doInit,
		about:    []string{"Asks on the screen which directories are projects, and writes `.haz/workspace.yml` in the current directory and a `haz.yml` into each project that has none. A workspace that exists is never touched."},
		opts:     []option{{long: "yes", help: "write a workspace without projects, and ask nothing"}},
		examples: []string{"haz init", "haz init --yes"},
	}
}

func listCommand() *command {
	return &command{name: "list", brief: "list tasks or projects, for people", noArgs: true, argsHint: "the tasks of one project, or of one name: haz query --workspace --projects NAME --tasks NAME", do: doList,
		about: []string{"Lists the tasks of this directory's project, or of the workspace outside of every project, with what they have."},
		opts: []option{
			{long: "projects", help: "list projects instead of tasks"},
			{long: "workspace", help: "all projects, whatever the directory"},
			formatOption("plain (default) or json", "plain", "json"),
		},
		examples: []string{"haz list", "haz list --projects --workspace"},
	}
}

func graphCommand() *command {
	return &command{name: "graph", args: "[TASK...]", brief: "print the task graph", completes: tasks, do: doGraph,
		about: []string{"Prints the graph of the given tasks and all they depend on, or of all tasks of this directory's project or the workspace. Edges point from what comes first to what comes after."},
		opts: []option{
			{long: "workspace", help: "all tasks, whatever the directory"},
			{long: "edges", arg: "KINDS", help: "kinds of edges, separated by commas: hard, soft, producer (default hard,soft)", check: checkEdges},
			formatOption("dot (default), json or mermaid", "dot", "json", "mermaid"),
		},
		noRefs:   []string{"workspace"},
		examples: []string{"haz graph app:build | dot -Tsvg -o graph.svg", "haz graph --workspace --edges hard,soft,producer --format mermaid"},
	}
}

func completionCommand() *command {
	return &command{name: "completion", args: "bash|zsh|fish", brief: "print a completion script for a shell", do: doCompletion,
		about: []string{"Prints a script that teaches a shell to complete commands, options, values and tasks."},
		examples: []string{
			"haz completion bash > ~/.local/share/bash-completion/completions/haz",
			"haz completion zsh > \"${fpath[1]}/_haz\"",
			"haz completion fish > ~/.config/fish/completions/haz.fish",
		}}
}

func manCommand() *command {
	return &command{name: "man", brief: "print the manual page", noArgs: true, do: doMan,
		about: []string{"Prints the manual page, in the format that `man` reads."}, examples: []string{"haz man | man -l -"}}
}

func helpCommand() *command {
	return &command{name: "help", args: "[COMMAND...|TOPIC]", brief: "explain a command or a topic", completes: commandNames, do: doHelp,
		about: []string{"Explains a command or a topic. `haz help topics` lists the topics."}, examples: []string{"haz help run", "haz help globs"}}
}

// completeCommand is what the completion scripts call.
func completeCommand() *command {
	return &command{name: "__complete", args: "SHELL WORD...", brief: "answer a completion script", hidden: true, do: doComplete}
}
