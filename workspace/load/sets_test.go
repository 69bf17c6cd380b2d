package load

import (
	"fmt"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/haz-build/haz/workspace"
)

// PATH-024: what an item with "$" stands for, by the paths that are selected of these.
func TestSets(t *testing.T) {
	paths := strings.Fields("/lib/src/a.c /lib/src/gen/a.c /lib/src/gen/keep.c /lib/x.md /lib/docs/a.md /lib/conf/a /src/a.c /lib/$x /lib/own/a.c")
	files := `{c: ["src/**", "!src/gen/**"], docs: ["**/*.md"], all: ["$c", "$docs"], kept: ["$c", src/gen/keep.c], none: [], sub: ["**", "!$c", "!own/"], root: [/src/], conf: [conf/], not: ["src/**", "!$sub"]}`
	own := `{conf: [own/], mine: ["$conf", "$docs"], literal: [x.md, src/a.c]}`
	for _, c := range []struct{ inputs, want string }{
		{"[$c]", "/lib/src/a.c"},
		{"[$all]", "/lib/src/a.c /lib/x.md /lib/docs/a.md"},
		{"[$kept]", "/lib/src/a.c /lib/src/gen/keep.c"},
		{"[src/gen/a.c, $c]", "/lib/src/a.c /lib/src/gen/a.c"}, // what a set takes away is taken from the set
		{"[$none]", ""},
		{`[$none, "!src/**"]`, ""},
		{`["src/**", "!$c"]`, "/lib/src/gen/a.c /lib/src/gen/keep.c"},
		{`["**", "!$c", "!**/*.md"]`, "/lib/src/gen/a.c /lib/src/gen/keep.c /lib/conf/a /lib/$x /lib/own/a.c"},
		{"[$sub]", "/lib/src/gen/a.c /lib/src/gen/keep.c /lib/x.md /lib/docs/a.md /lib/conf/a /lib/$x"},
		{`["**", "!$sub"]`, "/lib/src/a.c /lib/own/a.c"},
		{"[$not]", "/lib/src/a.c"},
		{"[$root]", "/src/a.c"},
		{"[$conf]", "/lib/own/a.c"}, // the project's own wins,
		{"[$mine]", "/lib/x.md /lib/docs/a.md /lib/own/a.c"},
		{`[$all, "!src/**"]`, "/lib/x.md /lib/docs/a.md"},
		{`[$literal, "!src/**"]`, "/lib/x.md"}, // no mistake, as haz::cfg::071 is: others have the set as well
		{`['\$x']`, "/lib/$x"},
		{"[/lib/$x]", "/lib/$x"},
	} {
		ws := load(t, fmt.Sprintf("-- .haz/workspace.yml --\nprojects: [/lib]\nfiles: %s\n-- lib/haz.yml --\nname: lib\nfiles: %s\ntasks: {t: {shell: \"\", inputs: %s}}\n", files, own, c.inputs))
		var got []string
		for _, path := range paths {
			if workspace.MatchAny(ws.Tasks[0].Inputs, path) {
				got = append(got, path)
			}
		}
		if want := slices.Sorted(slices.Values(strings.Fields(c.want))); !slices.Equal(slices.Sorted(slices.Values(got)), want) {
			t.Errorf("%s: got %v, want %v", c.inputs, got, want)
		}
		texts := "[" + strings.Join(workspace.Texts(ws.Tasks[0].Inputs), ", ") + "]"
		if want := strings.NewReplacer(`$none, "!src/**"`, "", "$none", "", `"`, "", `'`, "").Replace(c.inputs); texts != want {
			t.Errorf("%s: written is %s", c.inputs, texts)
		}
	}
}

// A set of the workspace, and an overlay that uses one, are of each project; a set that it uses is that of the project.
func TestSetsOfEachProject(t *testing.T) {
	ws := load(t, `
-- .haz/workspace.yml --
projects: [/a, /b]
files: {sources: ["src/**"], all: ["$sources", "*.json"]}
-- .haz/tasks/lint.yml --
tasks: {lint: {shell: "", inputs: [$all, "!$sources", $sources]}}
-- a/haz.yml --
name: a
files: {sources: ["lib/**", "!lib/x"]}
-- b/haz.yml --
name: b
`)
	for i, want := range []string{"/a/lib/** /a/*.json /a/lib/**", "/b/src/** /b/*.json /b/src/**"} {
		var got []string
		for _, in := range ws.Tasks[i].Inputs {
			got = append(got, in.Pattern.String())
		}
		if strings.Join(got, " ") != want {
			t.Errorf("%s: got %v, want %s", ws.Tasks[i].ID, got, want)
		}
	}
}

// Sets of sets double quickly, as aliases of YAML do: what they come to is bounded, and so is what a list of them costs.
func TestHostileSets(t *testing.T) {
	double := func(leaf string) string {
		var b strings.Builder
		for i := range 60 {
			fmt.Fprintf(&b, "  a%d: [$a%d, $b%d]\n  b%d: [$a%d, $b%d]\n", i, i+1, i+1, i, i+1, i+1)
		}
		return b.String() + "  a60: " + leaf + "\n  b60: " + leaf + "\n"
	}
	var taken strings.Builder
	for i := range 60_000 {
		fmt.Fprintf(&taken, "'!x%d', ", i)
	}
	var alternating strings.Builder
	for i := range 400 {
		fmt.Fprintf(&alternating, "'p%d/**', '!q%d', ", i, i)
	}
	for name, c := range map[string]struct{ files, inputs, want string }{
		"doubled":         {double("[x]"), "[$a0]", "haz::cfg::064"},
		"doubled nothing": {double("[]"), "[$a0]", "haz::cfg::064"},
		"taken away":      {"  s: [" + alternating.String() + "]\n", "[$s, " + taken.String() + "]", "haz::cfg::064"},
		"a long list":     {"  s: [a]\n", "['**', " + taken.String() + " $s]", ""},
		"long":            {"  s: [" + "'**', " + taken.String() + "]\n", "[$s]", "haz::cfg::064"},
	} {
		t.Run(name, func(t *testing.T) {
			start := time.Now()
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			_, err := tryLoad(t, "-- .haz/workspace.yml --\nprojects: [/lib]\nfiles:\n"+c.files+"-- lib/haz.yml --\nname: lib\ntasks: {t: {shell: \"\", inputs: "+c.inputs+"}}\n")
			runtime.ReadMemStats(&after)
			if (err == nil) != (c.want == "") || err != nil && !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %.300v, want %q", err, c.want)
			}
			if used := after.TotalAlloc - before.TotalAlloc; used > 1<<30 {
				t.Errorf("%d MiB were needed", used>>20)
			}
			t.Log(time.Since(start), (after.TotalAlloc-before.TotalAlloc)>>20, "MiB")
		})
	}
}
