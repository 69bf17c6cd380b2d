package main

// What the words of the files mean.
var languageBugs = []mutant{
	{name: "a script goes on after a command that failed", rule: "CFG-022", file: "workspace/shell.go",
		old: "	line = append(append(line, t.Shell), options...)\n", new: "	line = append(line, t.Shell)\n",
		pkg: "./cmd/haz", run: "^TestScript$/^shell_stops_at_failure$"},
	{name: "key: what was kept of a script that went on is a hit", rule: "CFG-022", file: "cache/key/components.go",
		old: "append(append([]string{t.Shell}, t.ShellOptions()...), t.Script)", new: "[]string{t.Shell, t.Script}",
		pkg: "./cache/key", run: "^TestKeyOfShellOptions$"},
}
