package key

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/packages"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys/tree"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
)

const pnpmText = `lockfileVersion: '9.0'
importers:
  .: {dependencies: {left: {specifier: '*', version: LEFT}}}
  ../q: {dependencies: {right: {specifier: '*', version: RIGHT}}}
packages: {left@LEFT: {resolution: {integrity: l}}, right@RIGHT: {resolution: {integrity: r}}}
snapshots: {left@LEFT: {}, right@RIGHT: {}}
`

func pnpmLine(left, right string) string {
	return "write lock/pnpm-lock.yaml " + strings.NewReplacer("LEFT", left, "RIGHT", right).Replace(pnpmText)
}

// lockBed is a bed whose task has globs and $lock.
func lockBed(t *testing.T) (*bed, func() *Deriver) {
	b := newBed(t, "**")
	l := &workspace.Lock{File: "/p/lock/pnpm-lock.yaml", Files: []string{"/p/lock/pnpm-lock.yaml"}, Members: []workspace.LockMember{{Dir: "/p/lock", Name: "p"}}, Places: map[string]int{"/p/lock": 0}}
	p, err := pattern.Parse(l.File)
	b.must(err)
	b.task.Project = &workspace.Project{Name: "p", Dir: "/p/lock"}
	b.task.Inputs = append(b.task.Inputs, workspace.PatternDecl{Pattern: p, Lock: l})
	return b, func() *Deriver {
		st := state.Open(b.fs, digest.BLAKE3)
		return NewDeriver(Options{FS: b.fs, Tree: tree.New(b.fs), State: st, Packages: packages.New(packages.Options{FS: b.fs, State: st, Hash: digest.BLAKE3}), Hash: digest.BLAKE3})
	}
}

// haz::cfg::114: the globs of a task with $lock do not have the file; that of another project's packages is no other key.
func TestKeyOfLock(t *testing.T) {
	b, deriver := lockBed(t)
	key := func() digest.Digest {
		at, err := deriver().Derive(context.Background(), &b.task, nil)
		b.must(err)
		if got := describe(at.Inputs); got != "f a" {
			t.Error(got)
		}
		return at.Key
	}
	b.do("write a x")
	none := key()
	b.do(pnpmLine("1.0.0", "1.0.0"))
	first := key()
	b.do(pnpmLine("1.0.0", "2.0.0"))
	if second := key(); none == first || first != second {
		t.Error(none, first, second)
	}
	b.do(pnpmLine("1.0.1", "2.0.0"))
	if key() == first {
		t.Error("another package, and the same key")
	}
}

// S-23: a lock file that changes between key and end is noticed, as far as what is reached is another one.
func TestMovedLock(t *testing.T) {
	for _, c := range []struct{ then, want string }{
		{"write b x", "[/p/b] []"},
		{pnpmLine("1.0.0", "2.0.0"), "[] [/p/lock/pnpm-lock.yaml]"},
		{pnpmLine("2.0.0", "1.0.0"), "[/p/lock/pnpm-lock.yaml] []"},
		{"rm lock/pnpm-lock.yaml", "[/p/lock /p/lock/pnpm-lock.yaml] []"},
	} {
		b, deriver := lockBed(t)
		b.do("write a x", pnpmLine("1.0.0", "1.0.0"))
		d := deriver()
		at, err := d.Derive(context.Background(), &b.task, nil)
		b.must(err)
		b.do(c.then)
		got, err := d.Moved(context.Background(), &b.task, at, nil)
		b.must(err)
		if text := fmt.Sprint(got.Moved, got.Rewritten); text != c.want {
			t.Errorf("%q: %s, want %s", c.then, text, c.want)
		}
		if _, err := d.Refresh(context.Background(), &b.task, at); err != nil {
			t.Fatal(err)
		}
		if got, _ := d.Moved(context.Background(), &b.task, at, nil); len(got.Rewritten) > 0 {
			t.Errorf("%q: told again: %v", c.then, got)
		}
	}
}

// why --diff names packages with both versions, not the lock file; many of them are not all named, and what nobody knows any more is told by its digest.
func TestDiffOfPackages(t *testing.T) {
	b, deriver := lockBed(t)
	many := func(n int, version string) string {
		var deps, all, nodes strings.Builder
		for i := range n {
			fmt.Fprintf(&deps, "n%02d: {specifier: '*', version: %s}, ", i, version)
			fmt.Fprintf(&all, "n%02d@%s: {resolution: {integrity: x}}, ", i, version)
			fmt.Fprintf(&nodes, "n%02d@%s: {}, ", i, version)
		}
		return fmt.Sprintf("write lock/pnpm-lock.yaml lockfileVersion: '9.0'\nimporters: {.: {dependencies: {%s}}}\npackages: {%s}\nsnapshots: {%s}\n", deps.String(), all.String(), nodes.String())
	}
	for _, c := range []struct{ was, is, want string }{
		{pnpmLine("1.0.0", "1.0.0"), pnpmLine("1.0.0", "2.0.0"), ""},
		{pnpmLine("1.0.0", "1.0.0"), pnpmLine("2.0.0", "2.0.0"), "~ package|left|1.0.0 -> 2.0.0\n"},
		{many(2, "1.0.0"), many(3, "1.0.0"), "+ package|n02|1.0.0\n"},
		{many(2, "1.0.0"), many(1, "1.0.0"), "- package|n01|1.0.0\n"},
		{pnpmLine("1.0.0", "1.0.0"), strings.Replace(pnpmLine("1.0.0", "1.0.0"), "integrity: l", "integrity: m", 1), "~ package|left|1.0.0, of another source or with another checksum\n"},
	} {
		b.do(c.was)
		at, err := deriver().Derive(context.Background(), &b.task, nil)
		b.must(err)
		record := deriver().Record(&b.task, at, []byte("salt"), "run", 1)
		b.do(c.is)
		d := deriver()
		now, err := d.Derive(context.Background(), &b.task, nil)
		b.must(err)
		diffs, _, ok := d.Diff(record, &b.task, now, []byte("salt"))
		if got := told(diffs); !ok || got != c.want {
			t.Errorf("got\n%swant\n%s", got, c.want)
		}
	}
	b.do(many(50, "1.0.0"))
	at, err := deriver().Derive(context.Background(), &b.task, nil)
	b.must(err)
	record := deriver().Record(&b.task, at, []byte("salt"), "run", 1)
	b.do(many(50, "2.0.0"))
	d := deriver()
	now, err := d.Derive(context.Background(), &b.task, nil)
	b.must(err)
	diffs, _, _ := d.Diff(record, &b.task, now, []byte("salt"))
	if got := told(diffs); len(diffs) != packagesTold+1 || !strings.HasSuffix(got, "n19|1.0.0 -> 2.0.0\n+ package|… and 30 more|\n") {
		t.Error(got)
	}
	b.must(b.fs.RemoveAll("/.haz/state"))
	d = deriver()
	now, err = d.Derive(context.Background(), &b.task, nil)
	b.must(err)
	if diffs, _, _ := d.Diff(record, &b.task, now, []byte("salt")); len(diffs) != 1 || diffs[0].Kind != "lock file" || !strings.Contains(diffs[0].Detail, "->") {
		t.Error(told(diffs))
	}
}
