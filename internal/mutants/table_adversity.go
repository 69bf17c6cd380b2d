package main

import "time"

// What the simulation has to find: the real actors, messages late, twice, lost, and in any order; the library's own messages
// late; turns, disk, signals and observer slow; output held back; any actor dead at any moment.
var adversityBugs = []mutant{
	// System messages that are not drained at once.
	{name: "adversity: a task is born while its parent stops", rule: "S-10", file: "actors/tasks.go",
		old: "		t.stopping = true\n", new: "",
		pkg: "./actors/actorstest", run: "^TestDeaths$"},
	// A turn that is slow.
	{name: "adversity: an actor in the middle of a turn is taken for one that is idle", rule: "S-10", file: "actors/pulse.go",
		old: "	p.inside.Add(1)\n	return true", new: "	return false",
		pkg: "./actors/actorstest", run: "^TestSlowRuns$"},
	{name: "adversity: the word of an actor's end is no turn", rule: "S-10", file: "actors/pulse.go",
		old: "	if !routine(m) {\n		p.turns.Add(1)\n	}\n", new: "	if routine(m) {\n		return false\n	}\n	p.turns.Add(1)\n",
		pkg: "./actors/actorstest", run: "^TestSlowRuns$"},
	{name: "adversity: a slow observer is hurried, and output is left out", rule: "S-14", file: "actors/run.go",
		old: "a.rounds > 1 && !busy)", new: "a.rounds > 1)",
		pkg: "./actors/actorstest", run: "^TestSlowRuns$"},
	// A disk and signals that are slow.
	{name: "adversity: work on files does not count as load", rule: "S-10", file: "actors/bench.go",
		old: "	return b.workers.busy() + int(b.staged.Load())", new: "	return int(b.staged.Load())",
		pkg: "./actors/actorstest", run: "^TestSlowRuns$"},
	{name: "adversity: processes do not count as load", rule: "S-10", file: "actors/bench.go",
		old: "func (b *bench) processLoad() int { return int(b.procs.Load()) }", new: "func (b *bench) processLoad() int { return 0 }",
		pkg: "./actors/actorstest", run: "^TestSlowRuns$"},
	{name: "adversity: two entries are published at a time", rule: "CACHE-017", file: "actors/cache.go",
		old: "!c.r.bench.inTurn.CompareAndSwap(false, true) {", new: "false {",
		pkg: "./actors/actorstest", run: "^TestSlowRuns$"},
	// The budget.
	{name: "adversity: what the observer has seen keeps its share of the budget", rule: "S-14", file: "actors/budget.go",
		old: "	b.free += n + eventCost\n", new: "",
		pkg: "./actors/actorstest", run: "^TestSlowRuns$"},
	// The death of the root, and of others that a run cannot do without.
	{name: "adversity: processes outlive the root", rule: "S-10", file: "actors/run.go",
		old: "	r.complete(\"the root of the run died: \" + reason)\n	r.bench.killAll()\n", new: "	r.complete(\"the root of the run died: \" + reason)\n",
		pkg: "./actors/actorstest", run: "^TestDeaths$"},
	{name: "adversity: tasks have no outcome when the root died", rule: "S-10", file: "actors/run.go",
		old: "	r.complete(\"the root of the run died: \" + reason)\n", new: "",
		pkg: "./actors/actorstest", run: "^TestDeaths$"},
	{name: "adversity: processes outlive an actor that the run cannot do without", rule: "S-10", file: "actors/run.go",
		old: "m.Actor, m.Reason))\n	a.r.bench.killAll()\n", new: "m.Actor, m.Reason))\n",
		pkg: "./actors/actorstest", run: "^TestDeaths$"},
	// Unexported messages.
	{name: "adversity: a turn that is wanted does not count as load", rule: "S-10", file: "actors/cache.go",
		old: "		c.r.bench.staged.Add(1)\n", new: "",
		pkg: "./actors/actorstest", run: "^TestLocksOfAnotherHaz$"},
	// Invariants that go on after a crash.
	{name: "adversity: what dies with a run breaks invariants", rule: "S-10", file: "schedule/ledger.go",
		old: "func (l *Ledger) Complete(now time.Time, reason string) {\n	l.ended = true\n", new: "func (l *Ledger) Complete(now time.Time, reason string) {\n",
		pkg: "./actors/actorstest", run: "^TestDeaths$"},
	{name: "adversity: a task starts after the death of an actor was noticed", rule: "S-27", file: "actors/bench_signal.go",
		old: "func (b *bench) killAll() {\n	b.stopStarts()\n	b.killing.Store(true)\n", new: "func (b *bench) killAll() {\n",
		pkg: "./actors/actorstest", run: "^TestDeaths$"},
	{name: "adversity: the death of an actor has no cause", rule: "S-10", file: "actors/props.go",
		old: "		r.deaths.Store(ctx.Self().Id, m)\n		ctx.Send(r.root, m)\n", new: "		_ = m\n",
		pkg: "./actors/actorstest", run: "^TestDeaths$"},

	{name: "an old answer tells who is idle now", rule: "S-10", file: "schedule/ledger_stop.go",
		old: "	if m.Round < l.since {", new: "	if false && m.Round < l.since {",
		pkg: "./schedule", run: "^TestLedgerDialogues$", limit: 90 * time.Second},
}
