package main

// What of its upstreams a key sees, and the second looks at what a key was made of.
var lookBugs = []mutant{
	{name: "key: no closure of upstreams", rule: "S-25", file: "cache/key/closure.go",
		old: "		return append(append(b, upClosure), u.Closure[:]...)\n", new: "		return append(b, upClosure)\n",
		pkg: "./cache/key", run: "^TestKeyDependsOn$"},
	{name: "a closure stops at the first upstream", rule: "S-25", file: "cache/key/closure.go",
		old: "		b = append(b, ups[i].Closure[:]...)\n", new: "		_ = i\n",
		pkg: "./cache/key", run: "^TestClosure$"},
	{name: "a closure goes on with what the upstream made itself", rule: "S-25", file: "cache/key/closure.go",
		old: "		b = append(b, ups[i].Closure[:]...)\n", new: "		b = append(b, ups[i].Own[:]...)\n",
		pkg: "./cache/key", run: "^TestClosureGoesAllTheWay$"},
	{name: "a group contributes nothing of its own", rule: "S-25", file: "cache/key/closure.go",
		old: "Made: len(t.Outputs) > 0, Own: at.Key}", new: "Made: len(t.Outputs) > 0}",
		pkg: "./cache/key", run: "^TestClosure$"},
	{name: "a narrow dep narrows what is behind as well", rule: "S-25", file: "cache/key/closure.go",
		old: "	for i := range ups {\n", new: "	for i := range ups {\n		if ups[i].Narrow {\n			continue\n		}\n",
		pkg: "./cache/key", run: "^TestNarrowEndsWithItsEdge$"},
	{name: "closure: false wins over a reference without it", rule: "CFG-038", file: "graph/references.go",
		old: "				r.b.edges[r.edge[u.Index]].narrow = false\n", new: "",
		pkg: "./graph", run: "^TestDialogues$"},
	{name: "closure: false is read and forgotten", rule: "CFG-038", file: "actors/bench_cache.go",
		old: "		ups[i].Narrow = edges[0].Narrow\n", new: "",
		pkg: "./cmd/haz", run: "^TestScript$/^key_closure_false$"},
	{name: "what a run derives is not what why derives", rule: "S-25", file: "probe.go",
		old: "			up.Narrow = e.Narrow\n", new: "			up.Narrow = true\n",
		pkg: "./cmd/haz", run: "^TestScript$/^why_behind_groups$"},
}
