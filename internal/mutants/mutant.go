package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// mutant is a bug to plant, and the tests that ought to notice it.
type mutant struct {
	name string // what is forgotten
	rule string // of the specification: S-31, EXEC-011
	file string // below the module root
	// old is replaced by new; it must stand in the file exactly once.
	old, new string

	pkg string // "./cache"
	run string // for -run
	env string // one assignment for the tests, HAZ_SEEDS=300; "" for none

	limit time.Duration // for a bug that makes the test hang; 0: testTimeout
}

// table is every bug. The order is that of the report.
func table() []mutant {
	var all []mutant
	for _, part := range [][]mutant{
		graphBugs,
		scheduleBugs,
		simulationBugs, adversityBugs,
		processBugs,
		keyBugs,
		lookBugs,
		storeBugs,
		restoreBugs,
		leftoverBugs,
		stateBugs,
		keptBugs,
		peopleBugs,
		affectedBugs,
		languageBugs,
		entryBugs,
		boundBugs,
		engineBugs,
		setupBugs,
		waitingBugs,
		wordBugs,
		suspendBugs,
	} {
		all = append(all, part...)
	}
	return all
}

// apply returns the file with the bug in it.
func (m *mutant) apply(root string) (string, error) {
	b, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(m.file)))
	if err != nil {
		return "", fmt.Errorf("%s: %w", m.name, err)
	}
	if n := strings.Count(string(b), m.old); n != 1 {
		return "", fmt.Errorf("%s: %s has the text to replace %d times, not once: %q", m.name, m.file, n, m.old)
	}
	if m.old == m.new {
		return "", fmt.Errorf("%s: replaces a text by itself", m.name)
	}
	return strings.Replace(string(b), m.old, m.new, 1), nil
}

// moduleRoot is the directory of the go.mod above the current directory.
func moduleRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		up := filepath.Dir(dir)
		if up == dir {
			return "", fmt.Errorf("no go.mod above the current directory")
		}
		dir = up
	}
}
