package main

// What the words of the files mean.
var languageBugs = []mutant{
	{name: "a script goes on after a command that failed", rule: "haz::cfg::022", file: "workspace/shell.go",
		old: "	line = append(append(line, t.Shell), options...)\n", new: "	line = append(line, t.Shell)\n",
		pkg: "./cmd/haz", run: "^TestScript$/^shell_stops_at_failure$"},
	{name: "key: what was kept of a script that went on is a hit", rule: "haz::cfg::022", file: "cache/key/components.go",
		old: "append(append([]string{t.Shell}, t.ShellOptions()...), t.Script)", new: "[]string{t.Shell, t.Script}",
		pkg: "./cache/key", run: "^TestKeyOfShellOptions$"},
	{name: "an input glob that selects nothing is not spoken of", rule: "haz::cfg::016", file: "actors/bench_cache.go",
		old: "append(mended, b.inputNotes(ctx, j)...)", new: "mended",
		pkg: "./cmd/haz", run: "^TestScript$/^run_pattern_notes$"},
	{name: "an output glob that matches nothing is not spoken of", rule: "haz::cfg::017", file: "actors/bench_cache.go",
		old: "	restored.Notes = append(restored.Notes, b.outputNotes(ctx, j, man.Outputs)...)\n", new: "",
		pkg: "./cmd/haz", run: "^TestScript$/^run_pattern_notes$"},
	{name: "a task that read too early is not spoken of", rule: "DAG-013", file: "actors/bench_order.go",
		old: "	b.order.made = append(b.order.made, made{j.task, outs})\n", new: "	return nil\n",
		pkg: "./cmd/haz", run: "^TestScript$/^run_globs_meet$"},
}
