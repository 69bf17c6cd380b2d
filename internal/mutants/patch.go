package main

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// bugs is where the patches lie, below the module root.
const bugs = "internal/mutants/testdata"

// mutant is a bug to plant, and the tests that ought to notice it.
type mutant struct {
	id   string // of its file, below bugs: store/the-manifest-is-published-first
	name string // what is forgotten
	rule string // of the specification: S-31, EXEC-011; several, with spaces between
	pkg  string // "./cache"
	run  string // for -run: ^TestA$|^TestScript$/^name$
	env  string // one assignment for the tests, HAZ_SEEDS=300; "" for none

	limit time.Duration // for a bug that makes a test hang; 0: testTimeout

	head, diff string // of the patch; the blank line between them is the head's
	files      []string
}

// all is every bug, sorted by subject and slug.
func all(root string) ([]mutant, error) {
	paths, err := filepath.Glob(filepath.Join(root, bugs, "*", "*.patch"))
	var ms []mutant
	for _, path := range paths {
		b, errRead := os.ReadFile(path)
		m, errParse := parse(string(b))
		if e := cmp.Or(errRead, errParse); e != nil {
			err = errors.Join(err, fmt.Errorf("%s: %w", path, e))
		}
		m.id = filepath.Base(filepath.Dir(path)) + "/" + strings.TrimSuffix(filepath.Base(path), ".patch")
		ms = append(ms, m)
	}
	return ms, err
}

var fileLine = regexp.MustCompile(`(?m)^--- a/(.+)$`)

// parse reads a patch: `key: value` lines, a blank one, a unified diff.
func parse(text string) (m mutant, err error) {
	head, diff, _ := strings.Cut(text, "\n\n")
	m.head, m.diff = head+"\n\n", diff
	var limit string
	keys := map[string]*string{"name": &m.name, "rule": &m.rule, "package": &m.pkg, "test": &m.run, "environment": &m.env, "limit": &limit}
	for line := range strings.Lines(head) {
		key, value, _ := strings.Cut(strings.TrimSpace(line), ": ")
		if keys[key] == nil || *keys[key] != "" || value == "" {
			return m, fmt.Errorf("a head does not say %q", line)
		}
		*keys[key] = value
	}
	for _, key := range []string{"name", "rule", "package", "test"} {
		if *keys[key] == "" {
			return m, fmt.Errorf("the head has no %s", key)
		}
	}
	if limit != "" {
		m.limit, err = time.ParseDuration(limit)
	}
	for _, f := range fileLine.FindAllStringSubmatch(diff, -1) {
		m.files = append(m.files, f[1])
	}
	if m.files == nil {
		err = cmp.Or(err, errors.New("no line --- a/FILE"))
	}
	return m, err
}

// apply puts the files that m concerns into dir/a, and with the bug in them into dir/b. What stands around the bug has to be as in
// the patch, wherever it is in the file: what is planted elsewhere by mistake would be noticed too, and prove nothing.
func (m *mutant) apply(root, dir string, options ...string) error {
	for _, file := range m.files {
		text, err := os.ReadFile(filepath.Join(root, file))
		if err != nil {
			return fmt.Errorf("%s: %w", m.id, err)
		}
		for _, side := range []string{"a", "b"} {
			to := filepath.Join(dir, side, file)
			if err := cmp.Or(os.MkdirAll(filepath.Dir(to), 0o700), os.WriteFile(to, text, 0o600)); err != nil {
				return err
			}
		}
	}
	args := append([]string{"apply", "--recount", "--whitespace=nowarn"}, options...)
	if said, err := git(filepath.Join(dir, "b"), m.diff, append(args, "-")...); err != nil {
		return fmt.Errorf("%s: %w\n%s", m.id, err, said)
	}
	return nil
}

var noise = regexp.MustCompile(`(?m)^(diff --git|index) .*\n`)

// refresh writes the patch of m again, as it applies to the files of today. One line of context is enough for it to be found.
func (m *mutant) refresh(root, dir string) error {
	if err := m.apply(root, dir, "-C1"); err != nil {
		return err
	}
	said, err := git(dir, "", "diff", "--no-index", "--no-prefix", "--no-color", "a", "b")
	if exit := (*exec.ExitError)(nil); err != nil && (!errors.As(err, &exit) || exit.ExitCode() != 1) {
		return fmt.Errorf("%s: %w\n%s", m.id, err, said)
	}
	return os.WriteFile(filepath.Join(root, bugs, m.id+".patch"), []byte(m.head+noise.ReplaceAllString(said, "")), 0o644)
}

// git runs git in dir, with no repository and no settings of anybody.
func git(dir, in string, args ...string) (string, error) {
	cmd := exec.Command("git", args...)
	cmd.Dir = dir
	cmd.Stdin = strings.NewReader(in)
	cmd.Env = append(os.Environ(), "GIT_CEILING_DIRECTORIES="+filepath.Dir(dir), "GIT_CONFIG_GLOBAL="+os.DevNull, "GIT_CONFIG_NOSYSTEM=1")
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	return out.String(), err
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
