package main

// The words between haz and people: completion, hints, keys of other tools.
var wordBugs = []mutant{
	{name: "fish: a tilde is not expanded", rule: "13.4", file: "cmd/haz/completion.go",
		old: `(string replace -r '^~(?=/|$)' -- "$HOME" "$words[1]")`, new: `"$words[1]"`,
		pkg: "./cmd/haz", run: "^TestCompletionInShells$/^fish$"},
	{name: "fish: what is not there is called", rule: "13.4", file: "cmd/haz/completion.go",
		old: `    type -fq -- "$program"; or return` + "\n", new: "",
		pkg: "./cmd/haz", run: "^TestCompletionInShells$/^fish$"},
	{name: "zsh: words keep their quotes", rule: "13.4", file: "cmd/haz/completion.go",
		old: `"${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}"`, new: `"${(@)words[2,CURRENT]}"`,
		pkg: "./cmd/haz", run: "^TestCompletionInShells$/^zsh$"},
	{name: "bash: what stands in the line is executed", rule: "13.4", file: "cmd/haz/completion.go",
		old: `[[ "$1" =~ $plain ]] && eval`, new: `eval`,
		pkg: "./cmd/haz", run: "^TestCompletionInShells$/^bash$"},
	{name: "bash: an open quote ends nothing", rule: "13.4", file: "cmd/haz/completion.go",
		old: "		doneAt = openAt\n", new: "		doneAt = openAt - openAt\n",
		pkg: "./cmd/haz", run: "^TestBashWords$"},
}
