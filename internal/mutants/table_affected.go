package main

// What git is asked, and which tasks a change concerns.
var affectedBugs = []mutant{
	{name: "git is asked without the guards", rule: "EXEC-026", file: "workspace/git/run.go",
		old: "slices.Concat(guards, r.off, args)", new: "slices.Concat(r.off, args)",
		pkg: "./workspace/git", run: "^TestNothingIsExecuted$"},
	{name: "git runs the filters of the repository", rule: "EXEC-026", file: "workspace/git/run.go",
		old: "slices.Concat(guards, r.off, args)", new: "slices.Concat(guards, args)",
		pkg: "./workspace/git", run: "^TestNothingIsExecuted$"},
	{name: "git fetches what a commit lacks", rule: "EXEC-026", file: "workspace/git/guard.go",
		old: `"GIT_NO_LAZY_FETCH=1", "GIT_ALLOW_PROTOCOL=none", `, new: "",
		pkg: "./workspace/git", run: "^TestNothingIsExecuted$"},
	{name: "a folder that is itself a repository is asked", rule: "EXEC-026", file: "workspace/git/guard.go",
		old: "if _, err := os.Lstat(filepath.Join(top, \".git\")); err != nil {", new: "if _, err := os.Lstat(filepath.Join(top, \".git\")); false && err != nil {",
		pkg: "./workspace/git", run: "^TestBareInside$"},
	{name: "what was only touched counts as changed", rule: "EXEC-027", file: "workspace/git/diff.go",
		old: "		if !same[i] {\n", new: "		if !same[i] || true {\n",
		pkg: "./workspace/git", run: "^TestOnlyTouched$"},
	{name: "files that git was told to take for unchanged are believed", rule: "EXEC-026", file: "workspace/git/changes.go",
		old: "		changed = append(changed, hidden...)\n", new: "		_ = hidden\n",
		pkg: "./workspace/git", run: "^TestHidden$"},
	{name: "what changed in a submodule is not asked", rule: "EXEC-026", file: "workspace/git/changes.go",
		old: "	return in.below(path)\n", new: "	_ = in\n	return (&found{}).below(path)\n",
		pkg: "./workspace/git", run: "^TestSubmodules$"},
}
