package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// testTimeout is what a test that hangs is given. A hang is one way to notice a bug.
const testTimeout = 90 * time.Second

// lab runs tests against planted bugs.
type lab struct {
	root string // of the module
	dir  string // temporary
	jobs int
	out  io.Writer
}

// verdict is what came of one bug.
type verdict struct {
	test string // that noticed; "" when none did
	err  error  // of the patch
}

// baseline runs the tests of all chosen bugs without any: a test that is red anyway notices nothing.
func (l *lab) baseline(ctx context.Context, ms []mutant) error {
	type group struct{ pkg, env string }
	runs := map[group][]string{}
	var order []group
	for _, m := range ms {
		g := group{m.pkg, m.env}
		if runs[g] == nil {
			order = append(order, g)
		}
		if !slices.Contains(runs[g], m.run) {
			runs[g] = append(runs[g], m.run)
		}
	}
	fmt.Fprintf(l.out, "without bugs: %d runs\n", len(order))
	errs := make([]error, len(order))
	l.each(len(order), func(i int) {
		g := order[i]
		text, err := l.goTest(ctx, mutant{pkg: g.pkg, env: g.env, run: strings.Join(runs[g], "|"), limit: 10 * testTimeout}, "")
		if err != nil {
			errs[i] = fmt.Errorf("%s is red without any bug (%w):\n%s", g.pkg, err, tail(text))
		}
	})
	return errors.Join(errs...)
}

// plant tries every bug, a few at a time.
func (l *lab) plant(ctx context.Context, ms []mutant) []verdict {
	vs := make([]verdict, len(ms))
	var mu sync.Mutex
	done := 0
	l.each(len(ms), func(i int) {
		began := time.Now()
		vs[i] = l.try(ctx, i, &ms[i])
		mu.Lock()
		defer mu.Unlock()
		done++
		what := "caught"
		switch {
		case vs[i].err != nil:
			what = "ERROR"
		case vs[i].test == "":
			what = "SURVIVED"
		}
		fmt.Fprintf(l.out, "%3d/%d %-8s %5.1f s  %s\n", done, len(ms), what, time.Since(began).Seconds(), ms[i].name)
	})
	return vs
}

func (l *lab) each(n int, f func(i int)) {
	var wg sync.WaitGroup
	slots := make(chan struct{}, l.jobs)
	for i := range n {
		slots <- struct{}{}
		wg.Go(func() {
			defer func() { <-slots }()
			f(i)
		})
	}
	wg.Wait()
}

// try plants one bug.
func (l *lab) try(ctx context.Context, i int, m *mutant) verdict {
	dir := filepath.Join(l.dir, strconv.Itoa(i))
	if err := m.apply(l.root, dir); err != nil {
		return verdict{err: err}
	}
	replace := map[string]string{}
	for _, file := range m.files {
		replace[filepath.Join(l.root, file)] = filepath.Join(dir, "b", file)
	}
	spec, err := json.Marshal(map[string]any{"Replace": replace})
	overlay := filepath.Join(dir, "overlay.json")
	if err := cmp.Or(err, os.WriteFile(overlay, spec, 0o600)); err != nil {
		return verdict{err: err}
	}
	said, err := l.goTest(ctx, *m, overlay)
	if ctx.Err() != nil {
		return verdict{err: ctx.Err()}
	}
	return judge(said, err)
}

// goTest runs the tests of m, with what it says. vet is off: it would only find the bug to be a bug.
func (l *lab) goTest(ctx context.Context, m mutant, overlay string) (string, error) {
	limit := cmp.Or(m.limit, testTimeout)
	ctx, cancel := context.WithTimeout(ctx, limit+testTimeout) // building included
	defer cancel()
	args := []string{"test", "-count=1", "-failfast", "-vet=off", "-timeout=" + limit.String()}
	if overlay != "" {
		args = append(args, "-overlay="+overlay)
	}
	cmd := exec.CommandContext(ctx, "go", append(args, "-run="+m.run, m.pkg)...)
	cmd.Dir = l.root
	cmd.Env = os.Environ()
	cmd.WaitDelay = time.Second
	if m.env != "" {
		cmd.Env = append(cmd.Env, m.env)
	}
	out, err := cmd.CombinedOutput()
	if err == nil && strings.Contains(string(out), "no tests to run") {
		err = errNoTests
	}
	return string(out), err
}

var errNoTests = errors.New("no test has that name")

var (
	failLine    = regexp.MustCompile(`(?m)^( *)--- FAIL: (\S+)`)
	runningList = regexp.MustCompile(`running tests:((?:\n\t+\S+ \(.*\))+)`)
)

// judge reads what the tests said.
func judge(said string, err error) verdict {
	if err == nil {
		return verdict{}
	}
	if errors.Is(err, errNoTests) || strings.Contains(said, "[build failed]") || strings.Contains(said, "[setup failed]") {
		return verdict{err: fmt.Errorf("%w\n%s", err, tail(said))}
	}
	if m := runningList.FindStringSubmatch(said); m != nil {
		// A test and its running subtest are both in the list, the subtest last.
		lines := strings.Split(m[1], "\n")
		name, _, _ := strings.Cut(strings.TrimSpace(lines[len(lines)-1]), " ")
		return verdict{test: name + " (hangs)"}
	}
	// Of the first test that failed, the deepest one: subtests come indented below it.
	test, depth := "", -1
	for _, m := range failLine.FindAllStringSubmatch(said, -1) {
		if len(m[1]) <= depth {
			break
		}
		test, depth = m[2], len(m[1])
	}
	switch {
	case test != "":
		return verdict{test: test}
	case strings.Contains(said, "panic:") || strings.Contains(said, "fatal error:") || strings.Contains(said, "\nFAIL"):
		return verdict{test: "(the test program dies)"}
	}
	return verdict{err: fmt.Errorf("%w\n%s", err, tail(said))}
}

// tail is the end of a long output.
func tail(s string) string {
	const most = 3000
	if len(s) > most {
		return "…" + s[len(s)-most:]
	}
	return s
}
