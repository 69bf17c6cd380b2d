// Command mutants shows that the tests would notice if a rule of haz were forgotten.
//
//	go run ./internal/mutants [-only NAME] [-list | -refresh] [-j N]
//
// It plants bugs, one at a time, each of which takes away the code behind one rule of the specification (S-31: do not
// compare a digest; S-37: do not hold back canonically later tasks), runs the tests that ought to notice, and prints which one
// did. A bug that no test notices is a hole in the tests, and the exit code is 1.
//
// Each bug is a patch, testdata/SUBJECT/SLUG.patch, with a head:
//
//	name: sizes of blobs are not compared at lookup
//	rule: S-31
//	package: ./cache
//	test: ^TestLookupReasons$|^TestDamageContents$
//
// and, where they are needed, `environment: HAZ_SEEDS=300` (one assignment for the tests) and `limit: 20s` (for a bug that
// makes a test hang). A blank line ends it, and a unified diff follows. The name says what is forgotten, and is no other's. Each alternative of
// test is the whole name of a test function, and may go on with /^subtest$.
//
// To add one, write the bug into the work tree and the head into a new file, then:
//
//	git diff FILE >>internal/mutants/testdata/SUBJECT/SLUG.patch
//	git checkout FILE
//	go run ./internal/mutants -only SUBJECT/SLUG
//
// Patches follow code that moves within its file. When what stands around a bug has changed, -refresh, with the same -only,
// writes the patches again from the files of today: read their diff. Where code has moved to another file, name that one in the lines --- and
// +++ first; where the code in question itself is another, plant the bug anew.
//
// Bugs that let processes escape leave some of a test behind (sleep 300); they end by themselves.
//
// The work tree is never touched: the changed files lie in a temporary directory, and `go test -overlay` puts them in the
// place of the originals. A patch that does not apply, whose bug does not compile, or whose tests do not exist or are red without
// the bug, is an error, and the exit code is 1 too.
//
// The idea is mutation testing; unlike tools that change operators at random, each bug here is one that somebody could
// write, and stands for a rule.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if signal.Ignored(syscall.SIGHUP) {
		// Under nohup the tests, and haz in them, would ignore it too. A handler is not inherited, and this one does nothing.
		signal.Notify(make(chan os.Signal, 1), syscall.SIGHUP)
	}
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "mutants:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string, out io.Writer) error {
	flags := flag.NewFlagSet("mutants", flag.ContinueOnError)
	only := flags.String("only", "", "plant only the bugs whose name, rule or SUBJECT/SLUG contains `NAME`")
	list := flags.Bool("list", false, "list the bugs and plant none")
	again := flags.Bool("refresh", false, "write the patches again, as they apply today, and plant none")
	jobs := flags.Int("j", 2, "how many tests run at a time")
	if err := flags.Parse(args); err != nil {
		return err
	}
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	every, err := all(root)
	if err != nil {
		return err
	}
	chosen := choose(every, *only)
	if len(chosen) == 0 {
		return fmt.Errorf("no bug is named %q", *only)
	}
	if *list {
		for _, m := range chosen {
			fmt.Fprintf(out, "%-14s %s (%s: %s %s)\n", m.rule, m.name, strings.Join(m.files, " "), m.pkg, m.run)
		}
		return nil
	}
	began := time.Now()
	dir, err := os.MkdirTemp("", "haz-mutants-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	for i, m := range chosen {
		where := filepath.Join(dir, "before", strconv.Itoa(i))
		if *again {
			err = errors.Join(err, m.refresh(root, where))
		} else {
			err = errors.Join(err, m.apply(root, where))
		}
	}
	if err != nil || *again {
		return err
	}
	l := lab{root: root, dir: dir, jobs: max(*jobs, 1), out: out}
	if err := l.baseline(ctx, chosen); err != nil {
		return err
	}
	return report(out, chosen, l.plant(ctx, chosen), time.Since(began))
}

// choose filters by name, rule or id.
func choose(all []mutant, only string) []mutant {
	var out []mutant
	for _, m := range all {
		if only == "" || strings.Contains(m.name, only) || strings.Contains(m.rule, only) || strings.Contains(m.id, only) {
			out = append(out, m)
		}
	}
	return out
}

// report prints the table and says by its error whether something is wrong.
func report(out io.Writer, ms []mutant, vs []verdict, took time.Duration) error {
	caught := 0
	var wrong []string
	fmt.Fprintln(out)
	for i, m := range ms {
		v := vs[i]
		switch {
		case v.err != nil:
			wrong = append(wrong, fmt.Sprintf("%s: %v", m.name, v.err))
			fmt.Fprintf(out, "%-14s %-66s ERROR\n", m.rule, m.name)
		case v.test == "":
			wrong = append(wrong, m.name+": no test noticed ("+m.pkg+" "+m.run+")")
			fmt.Fprintf(out, "%-14s %-66s SURVIVED\n", m.rule, m.name)
		default:
			caught++
			fmt.Fprintf(out, "%-14s %-66s %s\n", m.rule, m.name, strings.TrimPrefix(m.pkg, "./")+" "+v.test)
		}
	}
	fmt.Fprintf(out, "%d of %d (%d s)\n", caught, len(ms), int(took.Seconds()))
	if len(wrong) > 0 {
		return fmt.Errorf("not caught, %d:\n%s", len(wrong), strings.Join(wrong, "\n"))
	}
	return nil
}
