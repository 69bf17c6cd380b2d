package main

// The cache in odd set-ups, and what strangers try with it.
var setupBugs = []mutant{
	{name: "a restore opens folders through links that appear", rule: "S-38", file: "cache/folders.go",
		old: "return parent.fs.Hold(base) })", new: "return parent.fs.Sub(base) })",
		pkg: "./cache", run: "^TestFolderSwappedForLink$|^TestLinksOnTheWay$"},
	{name: "a link in the fixed prefix may change under a restore", rule: "S-38", file: "cache/folders.go",
		old: "if info, err := h.ws.Lstat(path); err != nil || !info.Same(h.links[path]) {", new: "if _, err := h.ws.Lstat(path); err != nil {",
		pkg: "./cache", run: "^TestPrefixSwappedForLink$"},
	{name: "what is restored into another mount is not staged beside it", rule: "7.5", file: "cache/restore_publish.go",
		old: "	if errors.Is(err, syscall.EXDEV) {\n		err = r.publishAcross", new: "	if false {\n		err = r.publishAcross",
		pkg: "./cache", run: "^TestOtherDevice$"},
}
