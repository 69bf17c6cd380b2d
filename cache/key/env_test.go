package key

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/haz-build/haz/workspace"
)

// What a task sees (CACHE-008, haz::cfg::041, haz::cfg::042, S-12): by name, each name once, bytes as they are.
func TestEnvironment(t *testing.T) {
	host := []string{"PATH=/first", "HOME=/home/u", "LANG=D", "LC_ALL=C", "LC_TIME=x", "LCX=1", "TOKEN=t", "NPM_A=1", "NPM_B=2", "NPM=3",
		"https_proxy=p", "CC=cc", "EMPTY=", "RAW=\xff\xfe", "odd name=1", "NPM_odd/name=4", "nothing", "PATH=/last=/x"}
	for name, c := range map[string]struct {
		task workspace.Task
		want string // the environment, then what was passed because it is listed, and by default
	}{
		"nothing is said": {workspace.Task{}, "HOME=/home/u LANG=D LC_ALL=C LC_TIME=x PATH=/last=/x https_proxy=p||HOME LANG LC_ALL LC_TIME PATH https_proxy"},
		"strict":          {workspace.Task{Strict: true}, "||"},
		"strict, with names": {workspace.Task{Strict: true, Pass: []string{"TOKEN", "LC_*", "ABSENT"}, FromHost: []string{"EMPTY", "CC", "NOWHERE"}},
			"CC=cc EMPTY= LC_ALL=C LC_TIME=x TOKEN=t|LC_ALL LC_TIME TOKEN|"},
		"a prefix":                   {workspace.Task{Strict: true, Pass: []string{"NPM_*"}}, "NPM_A=1 NPM_B=2 NPM_odd/name=4|NPM_A NPM_B NPM_odd/name|"},
		"a name that is also prefix": {workspace.Task{Strict: true, Pass: []string{"NPM"}}, "NPM=3|NPM|"},
		"a name that is listed and passes by default": {workspace.Task{Pass: []string{"HOME"}},
			"HOME=/home/u LANG=D LC_ALL=C LC_TIME=x PATH=/last=/x https_proxy=p|HOME|LANG LC_ALL LC_TIME PATH https_proxy"},
		"what is hashed does not pass": {workspace.Task{FromHost: []string{"PATH", "LC_ALL"}},
			"HOME=/home/u LANG=D LC_ALL=C LC_TIME=x PATH=/last=/x https_proxy=p||HOME LANG LC_TIME https_proxy"},
		"what is set does not pass": {workspace.Task{Override: map[string]string{"PATH": "/bin", "TOKEN": "", "NEW": "x"}, Pass: []string{"TOKEN"}, FromHost: []string{"PATH"}},
			"HOME=/home/u LANG=D LC_ALL=C LC_TIME=x NEW=x PATH=/bin TOKEN= https_proxy=p||HOME LANG LC_ALL LC_TIME https_proxy"},
		"bytes": {workspace.Task{Strict: true, FromHost: []string{"RAW"}}, "RAW=\xff\xfe||"},
	} {
		d := NewDeriver(Options{Host: NewHostEnv(host)})
		listed, byDefault := d.Passed(&c.task)
		got := strings.Join(d.Environment(&c.task), " ") + "|" + strings.Join(listed, " ") + "|" + strings.Join(byDefault, " ")
		if got != c.want {
			t.Errorf("%s:\n got %q\nwant %q", name, got, c.want)
		}
	}
	if got := NewDeriver(Options{}).Environment(&workspace.Task{}); got == nil || len(got) > 0 {
		t.Errorf("a task without variables: %#v, want none, and not nil, which would mean those of haz", got)
	}
}

// haz tells where a task is; an override wins over that, and nothing else does (EXEC-032).
func TestOwnVariables(t *testing.T) {
	d := NewDeriver(Options{Root: "/ws", Host: NewHostEnv([]string{"HAZ_TASK=outer", "HAZ_PROJECT=outer", "HAZ_STATE_DIR=/s", "HAZ_PROJECT_ROOT=/outer"})})
	id := workspace.TaskID{Project: "lib", Task: "build"}
	for name, c := range map[string]struct {
		task workspace.Task
		want string
	}{
		"a task":               {workspace.Task{ID: id, Project: &workspace.Project{Dir: "/lib"}}, "HAZ_PROJECT=lib HAZ_PROJECT_ROOT=/ws/lib HAZ_TASK=build HAZ_WORKSPACE_ROOT=/ws"},
		"strict":               {workspace.Task{ID: id, Project: &workspace.Project{Dir: "/"}, Strict: true}, "HAZ_PROJECT=lib HAZ_PROJECT_ROOT=/ws HAZ_TASK=build HAZ_WORKSPACE_ROOT=/ws"},
		"override":             {workspace.Task{ID: id, Project: &workspace.Project{Dir: "/lib"}, Override: map[string]string{"HAZ_TASK": "x"}}, "HAZ_PROJECT=lib HAZ_PROJECT_ROOT=/ws/lib HAZ_TASK=x HAZ_WORKSPACE_ROOT=/ws"},
		"from_host and pass":   {workspace.Task{ID: id, Project: &workspace.Project{Dir: "/lib"}, FromHost: []string{"HAZ_TASK"}, Pass: []string{"HAZ_P*"}}, "HAZ_PROJECT=lib HAZ_PROJECT_ROOT=/ws/lib HAZ_TASK=build HAZ_WORKSPACE_ROOT=/ws"},
		"a command of no task": {workspace.Task{ID: workspace.TaskID{Project: "lib"}, Project: &workspace.Project{Dir: "/lib"}}, "HAZ_PROJECT=lib HAZ_PROJECT_ROOT=/ws/lib HAZ_WORKSPACE_ROOT=/ws"},
	} {
		if got := strings.Join(d.Environment(&c.task), " "); got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", name, got, c.want)
		}
	}
	// Where the workspace lies is in no key: another folder hits.
	a, b := rich(t), rich(t)
	one := NewDeriver(Options{Root: "/one"}).Preimage(&a.task, a.derived())
	if other := NewDeriver(Options{Root: "/other"}).Preimage(&b.task, b.derived()); string(one) != string(other) {
		t.Error("the root of the workspace is in the key")
	}
}

// What is passed is in no key, neither name nor value, be it set or not; what is hashed is (haz::cfg::041, haz::cfg::042, I17).
func TestKeyOfPassed(t *testing.T) {
	key := func(change func(a *action)) string {
		a := rich(t)
		a.task.Pass = []string{"TOKEN", "NPM_*"}
		a.env["TOKEN"], a.env["NPM_A"] = "one", "one"
		change(a)
		return string(a.deriver().Preimage(&a.task, a.derived()))
	}
	base := key(func(*action) {})
	for name, change := range map[string]func(a *action){
		"a value":        func(a *action) { a.env["TOKEN"] = "two" },
		"not set":        func(a *action) { delete(a.env, "TOKEN") },
		"a new name":     func(a *action) { a.env["NPM_B"] = "two" },
		"HOME":           func(a *action) { a.env["HOME"] = "/home/other" },
		"a locale":       func(a *action) { a.env["LC_ALL"] = "C" },
		"what is listed": func(a *action) { a.task.Pass = nil },
		"strict":         func(a *action) { a.task.Strict = true },
		"no environment": func(a *action) { a.env = map[string]string{"PATH": a.env["PATH"], "EMPTY": ""} },
	} {
		if got := key(change); got != base {
			t.Errorf("%s is in the key:\n%s\n%s", name, base, got)
		}
	}
	for name, change := range map[string]func(a *action){
		"a value of from_host":          func(a *action) { a.env["PATH"] = "/other" },
		"a default name in from_host":   func(a *action) { a.task.FromHost = append(slices.Clone(a.task.FromHost), "HOME") },
		"an override of a default name": func(a *action) { a.task.Override = map[string]string{"LANG": "C", "HOME": "/"} },
	} {
		if got := key(change); got == base {
			t.Errorf("%s is not in the key", name)
		}
	}
}

func TestHostEnv(t *testing.T) {
	env := NewHostEnv([]string{"B=1", "A=2", "B=3", "bad", "=C:=x", "C==", "A B=4"})
	for name, want := range map[string]string{"A": "2", "B": "3", "C": "=", "A B": "4", "": "C:=x", "D": "not set", "bad": "not set"} {
		got, ok := env.Lookup(name)
		if !ok {
			got = "not set"
		}
		if got != want {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	if _, ok := (HostEnv{}).Lookup("A"); ok {
		t.Error("no environment has a variable")
	}
}

func BenchmarkEnvironment(b *testing.B) {
	var host []string
	for i := range 100 {
		host = append(host, fmt.Sprintf("VARIABLE_%d=value", i))
	}
	d := NewDeriver(Options{Host: NewHostEnv(append(host, "PATH=/bin", "HOME=/"))})
	task := &workspace.Task{FromHost: []string{"CC"}, Override: map[string]string{"LC_ALL": "C"}}
	b.ReportAllocs()
	for b.Loop() {
		d.Environment(task)
	}
}
