// Command mutants shows that the tests would notice if a rule of haz were forgotten.
//
//	go run ./internal/mutants [-only NAME] [-list] [-j N]
//
// It plants bugs, one at a time, each of which takes away the code behind one rule of the specification (S-31: do not
// compare a digest; S-37: do not hold back canonically later tasks), runs the tests that ought to notice, and prints which one
// did. A bug that no test notices is a hole in the tests, and the exit code is 1.
//
// Bugs that let processes escape leave some of a test behind (sleep 300); they end by themselves.
//
// The work tree is never touched: the changed file lies in a temporary directory, and `go test -overlay` puts it in the
// place of the original. The table is in table_*.go; a row whose text has moved on, whose bug does not compile, or whose
// tests do not exist or are red without the bug, is an error of the table, and the exit code is 1 too.
//
// The idea is mutation testing; unlike tools that change operators at random, each bug here is one that somebody could
// write, and stands for a rule.
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
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
	only := flags.String("only", "", "plant only the bugs whose name or rule contains `NAME`")
	list := flags.Bool("list", false, "list the bugs and plant none")
	jobs := flags.Int("j", 2, "how many tests run at a time")
	if err := flags.Parse(args); err != nil {
		return err
	}
	root, err := moduleRoot()
	if err != nil {
		return err
	}
	chosen := choose(table(), *only)
	if len(chosen) == 0 {
		return fmt.Errorf("no bug is named %q", *only)
	}
	for _, m := range chosen {
		if _, err := m.apply(root); err != nil {
			return err
		}
	}
	if *list {
		for _, m := range chosen {
			fmt.Fprintf(out, "%-14s %s (%s: %s %s)\n", m.rule, m.name, m.file, m.pkg, m.run)
		}
		return nil
	}
	began := time.Now()
	dir, err := os.MkdirTemp("", "haz-mutants-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	l := lab{root: root, dir: dir, jobs: max(*jobs, 1), out: out}
	if err := l.baseline(ctx, chosen); err != nil {
		return err
	}
	return report(out, chosen, l.plant(ctx, chosen), time.Since(began))
}

// choose filters by name or rule.
func choose(all []mutant, only string) []mutant {
	var out []mutant
	for _, m := range all {
		if only == "" || strings.Contains(m.name, only) || strings.Contains(m.rule, only) {
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
