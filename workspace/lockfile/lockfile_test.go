package lockfile_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"

	"github.com/haz-build/haz/workspace/lockfile"
)

var update = flag.Bool("update", false, "write what is found as what is wanted")

// TestReach: each file of testdata has a lock file, the members of a workspace, and what each of them reaches.
//
//	member DIR NAME [need NAME SPEC | dev NAME SPEC | uses DIR] ...
func TestReach(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		t.Run(strings.TrimSuffix(filepath.Base(file), ".txtar"), func(t *testing.T) {
			a, err := txtar.ParseFile(file)
			if err != nil {
				t.Fatal(err)
			}
			lock, members, want := a.Files[0], a.Files[1], &a.Files[2]
			got := described(lock.Name, lock.Data, parseMembers(t, string(members.Data)))
			if *update {
				want.Data = []byte(got)
				if err := os.WriteFile(file, txtar.Format(a), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if got != string(want.Data) {
				t.Errorf("got:\n%swant:\n%s", got, want.Data)
			}
		})
	}
}

func parseMembers(t *testing.T, text string) (members []lockfile.Member) {
	dirs := map[string]int{}
	lines := strings.Split(strings.TrimSpace(text), "\n")
	for i, line := range lines {
		dirs[strings.Fields(line)[1]] = i
	}
	for _, line := range lines {
		f := strings.Fields(line)
		m := lockfile.Member{Dir: f[1], Name: f[2]}
		for f = f[3:]; len(f) > 0; {
			switch f[0] {
			case "need", "dev":
				m.Needs, f = append(m.Needs, lockfile.Need{Name: f[1], Spec: f[2], Dev: f[0] == "dev"}), f[3:]
			case "uses":
				m.Uses, f = append(m.Uses, dirs[f[1]]), f[2:]
			default:
				t.Fatalf("%q", line)
			}
		}
		members = append(members, m)
	}
	return members
}

// described is what members reach, or what is wrong with the lock file.
func described(name string, text []byte, members []lockfile.Member) string {
	l, err := lockfile.Read(name, text)
	if err != nil {
		return "error: " + err.Error() + "\n"
	}
	var b strings.Builder
	reached, known := l.Reach(members)
	for i, m := range members {
		fmt.Fprintf(&b, "%s:", m.Dir)
		if !known[i] {
			b.WriteString(" unknown")
		}
		var names []string
		for _, p := range reached[i] {
			names = append(names, l.Packages[p].Name+"@"+l.Packages[p].Version)
		}
		slices.Sort(names)
		fmt.Fprintf(&b, " %s\n", strings.Join(names, " "))
	}
	return b.String()
}

// TestBump: another version, or other bytes, of a package changes what those reach that reach it, and nobody else.
func TestBump(t *testing.T) {
	files, _ := filepath.Glob("testdata/*.txtar")
	for _, file := range files {
		a, err := txtar.ParseFile(file)
		if err != nil {
			t.Fatal(err)
		}
		lock, members := a.Files[0], parseMembers(t, string(a.Files[1].Data))
		l, err := lockfile.Read(lock.Name, lock.Data)
		if err != nil {
			continue
		}
		before, _ := l.Reach(members)
		for i, p := range l.Packages {
			sum, _, _ := strings.Cut(p.Pin, " ")
			if len(sum) < 6 || strings.Count(string(lock.Data), sum) != 1 {
				continue
			}
			changed, err := lockfile.Read(lock.Name, []byte(strings.Replace(string(lock.Data), sum, sum+"X", 1)))
			if err != nil {
				t.Errorf("%s, %s: %v", file, p.Name, err)
				continue
			}
			after, _ := changed.Reach(members)
			for m := range members {
				diff := lockfile.Diff(packages(l, before[m]), packages(changed, after[m]))
				if reaches := slices.Contains(before[m], int32(i)); reaches != (len(diff) > 0) || reaches && (len(diff) != 1 || diff[0].Name != p.Name) {
					t.Errorf("%s: another %s@%s: %s reaches it: %v; changed: %v", file, p.Name, p.Version, members[m].Dir, reaches, diff)
				}
			}
		}
	}
}

func packages(l *lockfile.Lock, at []int32) (list []lockfile.Package) {
	for _, i := range at {
		list = append(list, l.Packages[i])
	}
	return list
}

func TestDiff(t *testing.T) {
	p := func(name, version, pin string) lockfile.Package {
		return lockfile.Package{Name: name, Version: version, Pin: pin}
	}
	was := []lockfile.Package{p("a", "1", "x"), p("b", "1", "x"), p("b", "2", "x"), p("c", "1", "x"), p("d", "1", "x")}
	is := []lockfile.Package{p("a", "2", "y"), p("b", "2", "x"), p("b", "3", "x"), p("c", "1", "y"), p("d", "1", "x"), p("e", "1", "x")}
	if got := fmt.Sprint(lockfile.Diff(was, is)); got != "[{a [1] [2]} {b [1] [3]} {c [1] [1]} {e [] [1]}]" {
		t.Error(got)
	}
	if got := lockfile.Diff(was, was); len(got) > 0 {
		t.Error(got)
	}
}

// FuzzRead: whatever a lock file says, it is read or refused, and what is reached is part of it.
func FuzzRead(f *testing.F) {
	files, _ := filepath.Glob("testdata/*.txtar")
	names := []string{"pnpm-lock.yaml", "package-lock.json", "yarn.lock", "go.sum", "Cargo.lock", "uv.lock", "go.work.sum"}
	for _, file := range files {
		if a, err := txtar.ParseFile(file); err == nil {
			f.Add(slices.Index(names, a.Files[0].Name), a.Files[0].Data)
		}
	}
	f.Fuzz(func(t *testing.T, which int, text []byte) {
		if which < 0 || which >= len(names) {
			return
		}
		l, err := lockfile.Read(names[which], text)
		if err != nil {
			return
		}
		reached, _ := l.Reach([]lockfile.Member{{Dir: ".", Name: "a", Needs: []lockfile.Need{{Name: "b", Spec: "1"}}, Uses: []int{1}}, {Dir: "b", Name: "b", Uses: []int{0}}})
		for _, list := range reached {
			if !slices.IsSorted(list) || len(list) > 0 && int(list[len(list)-1]) >= len(l.Packages) {
				t.Errorf("%v of %d", list, len(l.Packages))
			}
		}
	})
}
