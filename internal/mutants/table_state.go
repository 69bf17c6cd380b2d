package main

// What is known beside the cache: the stat index, locks, leftovers.
var stateBugs = []mutant{
	{name: "the stat index has no racy window", rule: "S-26", file: "cache/state/index.go",
		old: "limit := recorded - int64(racyWindow)", new: "limit := recorded",
		pkg: "./cache/state", run: "^TestIndexSavesReading$"},
	{name: "the stat index looks at mtime alone", rule: "S-26", file: "cache/state/index.go",
		old: " && info.CTime <= limit\n", new: "\n",
		pkg: "./cache/state", run: "^TestIndexNeedsOldCTimeToo$"},
	{name: "the time of the file system is not asked for", rule: "S-26", file: "cache/state/digest.go",
		old: "	stamp := s.Stamp()\n", new: "	stamp := info.CTime + int64(4*racyWindow)\n",
		pkg: "./cache/state", run: "^TestIndexSavesReading$"},
	{name: "a damaged index is believed", rule: "S-26", file: "cache/state/frame.go",
		old: "return payload, string(sum[:]) == string(file[magicSize+8:frameSize])", new: "_ = sum\n	return payload, true",
		pkg: "./cache/state", run: "^TestDamagedRecordsAreAsNone$"},
	{name: "tasks that may write the same paths do not lock each other", rule: "S-36", file: "cache/state/locks.go",
		old: "tasks := append([]string{t.task}, conflicts...)", new: "tasks := []string{t.task}",
		pkg: "./cache/state", run: "^TestTaskLocks$"},
	{name: "who is refused keeps some locks", rule: "S-36", file: "cache/state/locks.go",
		old: "	case refused != nil:\n		l.keep(set)\n", new: "	case refused != nil:\n",
		pkg: "./cache/state", run: "^TestRefusedHoldsNothing$"},
	{name: "a haz that was started by the task itself waits for ever", rule: "S-36", file: "cache/state/locks.go",
		old: "func (t *taker) waitsForUs(h holder) bool { return h.task > 0 && t.ancestors()[h.task] }", new: "func (t *taker) waitsForUs(h holder) bool { return false }",
		pkg: "./cache/state", run: "^TestNestedUse$"},
	{name: "the sweep takes what a living haz holds", rule: "S-35", file: "cache/leftovers.go",
		old: "	lock, err := fsy.TryLock(dir+\"/\"+lockName, fsys.Exclusive)\n	switch {", new: "	lock, err := fsy.TryLock(dir+\"/other\"+lockName, fsys.Exclusive)\n	switch {",
		pkg: "./cache", run: "^TestSweep$|^TestClean$"},
	{name: "a store in progress is not locked", rule: "S-35", file: "cache/files.go",
		old: "st.lock, err = st.dir.TryLock(\"/\"+lockName, fsys.Exclusive)", new: "st.lock, err = nil, fsys.ErrLockUnsupported",
		pkg: "./cache", run: "^TestStoreInProgressIsLocked$"},
}

// What people see, and how they end a run.
var peopleBugs = []mutant{
	{name: "violations are not printed", rule: "S-09", file: "report/epilogue.go",
		old: "		b.WriteString(l.Violation(v))\n", new: "		_ = v\n",
		pkg: "./report", run: "^TestRunScreens$"},
	{name: "the reason of a task error is not printed", rule: "S-09", file: "report/epilogue.go",
		old: `b.WriteString(diag.Escape(firstLine(o.Error.Reason)) + "\n")`, new: `b.WriteString("\n")`,
		pkg: "./report", run: "^TestRunScreens$"},
	{name: "a hang-up is not handled", rule: "S-11", file: "cmd/haz/run.go",
		old: "[]os.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGHUP}", new: "[]os.Signal{syscall.SIGINT, syscall.SIGTERM}",
		pkg: "./cmd/haz", run: "^TestScript$/^signal_terminate$"},
	{name: "a cancelled run exits as a failed one", rule: "EXEC-021", file: "cmd/haz/run.go",
		old: "		return 128 + r.Interrupt.Number\n", new: "		return 1\n",
		pkg: "./cmd/haz", run: "^TestScript$/^signal_interrupt$"},
}
