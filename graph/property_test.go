package graph

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
)

// drawWorkspace draws a small workspace that is full of edges: few paths, few names.
func drawWorkspace(t *rapid.T) *workspace.Workspace {
	var b strings.Builder
	pattern := rapid.SampledFrom([]string{"o", "p", "d/o", "*", "d/*", "**", "/a/o", "/b/p", "/a/d", "/a/d/o", "/b/*", "/a/{o,p}", "/{a,b}/**/o", "/c/d/?", "/**/p", "d", "d/", "/a/d/", "*/d/", "d/**"})
	ref := rapid.SampledFrom([]string{"~:t", "~:u", "~:v", "a:t", "b:u", "c:v", "a:u", "^:t", "^~:u", "^~:v", "[g]:t", "[g]~:u", "[h]~:v", "[h]:v", "^uses:t", "^uses:u", "^uses:v"})
	density := rapid.IntRange(0, 3).Draw(t, "density")
	list := func(key string, g *rapid.Generator[string], most int) {
		if values := rapid.SliceOfNDistinct(g, 0, most, rapid.ID[string]).Draw(t, key); len(values) > 0 {
			fmt.Fprintf(&b, " %s=%s", key, strings.Join(values, ";"))
		}
	}
	for _, p := range []string{"a", "b", "c", "d"} {
		fmt.Fprintf(&b, "project %s", p)
		list("tags", rapid.SampledFrom([]string{"g", "h"}), 1)
		others := slices.DeleteFunc([]string{"a", "b", "c", "d"}, func(q string) bool { return q == p })
		if uses := rapid.SliceOfNDistinct(rapid.SampledFrom(others), 0, 2, rapid.ID[string]).Draw(t, "uses"); len(uses) > 0 {
			fmt.Fprintf(&b, " uses=%s", strings.Join(uses, ","))
		}
		b.WriteString("\n")
		for _, task := range []string{"t", "u", "v"} {
			if rapid.IntRange(0, 3).Draw(t, "absent") == 0 {
				continue
			}
			fmt.Fprintf(&b, "%s:%s", p, task)
			list("deps", ref, density)
			list("weak", ref, density/2)
			list("in", pattern, 2)
			list("exclude", pattern, 1)
			list("out", pattern, max(1, density/2))
			b.WriteString("\n")
		}
	}
	w, err := parseWorkspace(b.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", b.String())
	return w
}

// Build says what the definitions say: the same edges, as many errors of each code, and cycles that are cycles, of all members
// and as short as can be.
func TestBuildAgreesWithDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := drawWorkspace(t)
		want := define(w)
		g, diags := Build(w)
		codes := map[string]int{}
		for _, d := range diags {
			codes[d.Code]++
		}
		if diff := cmp.Diff(want.codes, codes); diff != "" {
			t.Fatalf("errors (-want +got):\n%s\n%s", diff, diags.Render(diag.Style{}))
		}
		if (g == nil) != (len(diags) > 0) {
			t.Fatal("errors and a graph, or neither")
		}
		checkCycles(t, want, diags)
		if g != nil {
			checkEdges(t, want, g)
			checkReferences(t, g)
			checkQuestions(t, want, g)
		}
	})
}

// DAG-027: the reference of an edge selects what it leads to, and none before it in its list does.
func checkReferences(t *rapid.T, g *Graph) {
	for down, up := range g.Up {
		for _, e := range up {
			says := g.Says(e.Task, down, e)
			if (says == nil) != (e.Kind == Producer) {
				t.Fatalf("an edge of kind %s has the reference %v", e.Kind, says)
			}
			list, of, other := g.W.Tasks[down].Deps, down, e.Task
			switch e.Kind {
			case Producer:
				continue
			case Soft:
				list = g.W.Tasks[down].WeakDeps
			case Final:
				list, of, other = g.W.Tasks[e.Task].After, e.Task, down
			}
			first := slices.IndexFunc(list, func(r workspace.RefDecl) bool {
				tasks, err := g.W.Resolve(r.Ref, g.W.Tasks[of].Project)
				return err == nil && slices.Contains(tasks, g.W.Tasks[other])
			})
			if first < 0 || says != &list[first] {
				t.Fatalf("%s of %s has the reference %v, which is not the first that selects %s", e.Kind.key(), g.W.Tasks[of].ID, says, g.W.Tasks[other].ID)
			}
		}
	}
}

// DAG-025: where the hint of tasks that wait for each other is another reference, and all such hints are followed, these tasks no longer do.
func TestOfferedUsesHelp(t *testing.T) {
	tried := 0
	quoted := regexp.MustCompile(`"([^"]*)"`)
	follow := func(t *rapid.T) {
		w := drawWorkspace(t)
		_, diags := Build(w)
		followed := map[string]bool{}
		for _, d := range diags {
			_, offer, offered := strings.Cut(d.Hint, "for the task of the projects that this one uses, write ")
			if !offered {
				continue
			}
			about, _, _ := strings.Cut(d.Message, " wait for each other")
			if d.Code == "DAG-012" {
				about, _, _ = strings.Cut(d.Message, " cannot depend on itself")
			}
			for _, id := range quoted.FindAllStringSubmatch(about, -1) {
				followed[id[1]] = true
				p, name, _ := strings.Cut(id[1], ":")
				task := w.Task(workspace.TaskID{Project: p, Task: name})
				for _, refs := range [][]workspace.RefDecl{task.Deps, task.WeakDeps} {
					for i := range refs {
						if isWide(refs[i].Ref) && strings.Contains(offer, `"^uses:`+refs[i].Ref.Task+`"`) {
							refs[i].Ref.Form = workspace.RefUses
						}
					}
				}
			}
		}
		if len(followed) == 0 {
			return
		}
		tried++
		_, diags = Build(w)
		for _, d := range diags {
			about, _, waits := strings.Cut(d.Message, " wait for each other")
			for _, id := range quoted.FindAllStringSubmatch(about, -1) {
				if waits && followed[id[1]] {
					t.Fatalf("%s still waits: %s", id[1], d.Message)
				}
			}
		}
	}
	for range 50 { // few workspaces have such a hint, and a short run draws twenty
		if rapid.Check(t, follow); tried > 0 {
			return
		}
	}
	t.Error("there was no hint to follow")
}

var byGlob = regexp.MustCompile(`[(;] ?input "`)

var arrow = regexp.MustCompile(` -(deps|weakDeps|outputs/inputs)-> `)

func checkCycles(t *rapid.T, n *naive, diags diag.List) {
	at := map[string]int{}
	for i, task := range n.w.Tasks {
		at[task.ID.String()] = i
	}
	components := n.components()
	for _, d := range diags {
		if d.Code != "DAG-014" {
			continue
		}
		names, rest, _ := strings.Cut(d.Message, " wait for each other, each for the one before it: ")
		var members []int
		for _, m := range regexp.MustCompile(`"([^"]*)"`).FindAllStringSubmatch(names, -1) {
			members = append(members, at[m[1]])
		}
		if diff := cmp.Diff(components[members[0]], members); diff != "" {
			t.Fatalf("members (-want +got):\n%s", diff)
		}
		cycle, _, _ := strings.Cut(rest, " (")
		kinds := arrow.FindAllStringSubmatch(cycle, -1)
		var tasks []int
		for _, id := range arrow.Split(cycle, -1) {
			tasks = append(tasks, at[id])
		}
		if want := n.shortest(members); len(kinds) != want || tasks[0] != tasks[want] || slices.Min(tasks) != tasks[0] {
			t.Fatalf("%s: not a cycle of %d from its first task", d.Message, want)
		}
		for i, k := range kinds {
			kind := map[string]EdgeKind{"deps": Hard, "weakDeps": Soft, "outputs/inputs": Producer}[k[1]]
			if !n.edges[[2]int{tasks[i], tasks[i+1]}][kind] {
				t.Fatalf("%s: there is no edge %d", d.Message, i)
			}
		}
		if byGlob.MatchString(d.Message) != strings.Contains(d.Hint, "exclude: [") {
			t.Fatalf("%s: the hint is %q", d.Message, d.Hint)
		}
	}
}

func checkEdges(t *rapid.T, n *naive, g *Graph) {
	var want, got []string
	for pair, kinds := range n.edges {
		for k := range kinds {
			want = append(want, fmt.Sprint(pair, k))
		}
	}
	for down, up := range g.Up {
		for i, e := range up {
			got = append(got, fmt.Sprint([2]int{e.Task, down}, e.Kind))
			if i > 0 && (up[i-1].Task > e.Task || up[i-1].Task == e.Task && up[i-1].Kind >= e.Kind) {
				t.Fatalf("edges of %d are not sorted", down)
			}
			back := e
			back.Task = down
			if !slices.Contains(g.Down[e.Task], back) {
				t.Fatalf("%v is not in Down", e)
			}
			if out := n.w.Tasks[e.Task]; e.Kind == Producer && !n.meets(out.Outputs[e.Output], n.w.Tasks[down], n.w.Tasks[down].Inputs[e.Input]) {
				t.Fatalf("output and input of %v do not meet", e)
			}
		}
	}
	slices.Sort(want)
	slices.Sort(got)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("edges (-want +got):\n%s", diff)
	}
	total := 0
	for _, down := range g.Down {
		total += len(down)
		if !slices.IsSortedFunc(down, func(a, b Edge) int { return 4*(a.Task-b.Task) + int(a.Kind) - int(b.Kind) }) {
			t.Fatal("Down is not sorted")
		}
	}
	if total != len(got) {
		t.Fatal("Up and Down differ")
	}
}

// checkQuestions asks a sound graph everything.
func checkQuestions(t *rapid.T, n *naive, g *Graph) {
	tasks := n.w.Tasks
	if len(tasks) == 0 {
		return
	}
	hard := n.closure(func(k EdgeKind) bool { return k == Hard })
	wide := n.closure(func(k EdgeKind) bool { return k != Soft })
	ordered := n.closure(func(k EdgeKind) bool { return k != Producer })
	seeds := rapid.SliceOfN(rapid.IntRange(0, len(tasks)-1), 0, 3).Draw(t, "seeds")
	var up, down, wideDown []int
	inPlan := map[int]bool{}
	for i := range tasks {
		for _, s := range seeds {
			inPlan[s] = true
			if hard[i][s] {
				up = appendNew(up, i)
				inPlan[i] = true
			}
			if hard[s][i] {
				down = appendNew(down, i)
			}
			if wide[s][i] || n.edges[[2]int{s, i}][Producer] {
				wideDown = appendNew(wideDown, i)
			}
		}
	}
	same(t, "upstreams", up, g.HardClosure(seeds, false))
	same(t, "downstreams", down, g.HardClosure(seeds, true))
	same(t, "wide downstreams", wideDown, g.Downstream(seeds))
	n.checkPlan(t, g.Plan(seeds), inPlan, seeds)

	for i, conflicts := range g.Conflicts() {
		var want []int
		for j := range tasks {
			if i != j && n.overlap(i, j) {
				want = append(want, j)
			}
		}
		same(t, "conflicts", want, conflicts)
	}
	for _, path := range []string{"/a/o", "/a/p", "/a/d/o", "/b/o", "/b/p", "/c/d/x", "/zz"} {
		n.checkPath(t, g, path)
	}
	var loose []string
	for pair, kinds := range n.edges {
		if kinds[Producer] && pair[0] != pair[1] && !ordered[pair[0]][pair[1]] {
			loose = append(loose, tasks[pair[1]].ID.String())
		}
	}
	slices.Sort(loose)
	loose = slices.Compact(loose)
	var said, saidOfGlobs []string
	for _, w := range g.Warnings() {
		switch words := strings.Split(w.Message, `"`); {
		case w.Code == "DAG-013" && strings.HasPrefix(w.Message, "task "):
			said = append(said, words[1])
		case w.Code == "DAG-013":
			saidOfGlobs = append(saidOfGlobs, words[3])
		}
	}
	slices.Sort(said)
	said = slices.Compact(said)
	if !slices.Equal(loose, said) {
		t.Fatalf("unordered readers: want %v, got %v", loose, said)
	}
	n.checkMeetingGlobs(t, ordered, saidOfGlobs)
}

// checkMeetingGlobs holds the warnings about globs that meet to the definition, for tasks that exclude nothing.
func (n *naive) checkMeetingGlobs(t *rapid.T, ordered [][]bool, said []string) {
	for j, reader := range n.w.Tasks {
		want := false
		for i, writer := range n.w.Tasks {
			if i == j || ordered[i][j] || n.edges[[2]int{i, j}][Producer] {
				continue
			}
			for _, out := range writer.Outputs {
				for _, in := range reader.Inputs {
					p := out.Pattern
					if p.IsFolder() && p.IsLiteral() {
						p = p.Inside()
					}
					want = want || !p.IsLiteral() && !in.Pattern.IsLiteral() && pattern.Overlap(p, in.Pattern)
				}
			}
		}
		if got := slices.Contains(said, reader.ID.String()); got != want && len(reader.Exclude) == 0 || got && !want {
			t.Fatalf("globs of %s meet unordered: want %v, got %v", reader.ID, want, got)
		}
	}
}

func same(t *rapid.T, what string, want, got []int) {
	if !slices.Equal(want, got) {
		t.Fatalf("%s: want %v, got %v", what, want, got)
	}
}

func (n *naive) overlap(i, j int) bool {
	for _, a := range n.w.Tasks[i].Outputs {
		for _, b := range n.w.Tasks[j].Outputs {
			if pattern.Overlap(a.Pattern, b.Pattern) {
				return true
			}
		}
	}
	return false
}

func (n *naive) checkPath(t *rapid.T, g *Graph, path string) {
	var writers []int
	var readers []Reader
	for i, task := range n.w.Tasks {
		for _, out := range task.Outputs {
			if out.Pattern.Match(path) {
				writers = appendNew(writers, i)
			}
		}
		for at, in := range task.Inputs {
			if in.Pattern.Match(path) && (in.Pattern.IsLiteral() && in.Pattern.Path() == path || !workspace.MatchAny(task.Exclude, path)) {
				readers = append(readers, Reader{i, at})
				break
			}
		}
	}
	same(t, "writers of "+path, writers, g.Writers(path))
	if diff := cmp.Diff(readers, g.Readers(path)); diff != "" {
		t.Fatalf("readers of %s (-want +got):\n%s", path, diff)
	}
	var affected []int
	for _, r := range readers {
		affected = append(affected, r.Task)
	}
	same(t, "affected by "+path, affected, g.Affected([]string{path}, nil))
}

func (n *naive) checkPlan(t *rapid.T, p *Plan, in map[int]bool, targets []int) {
	if len(p.Tasks) != len(in) {
		t.Fatalf("plan has %d tasks, want %d", len(p.Tasks), len(in))
	}
	edges := 0
	for i, task := range p.Tasks {
		if !in[task.Index] || i > 0 && p.Tasks[i-1].Index >= task.Index {
			t.Fatalf("%s is not in the plan, or not here", task.ID)
		}
		if p.Target[i] != slices.Contains(targets, task.Index) {
			t.Fatalf("target %s: %v", task.ID, p.Target[i])
		}
		for _, e := range p.Up[i] {
			edges++
			if !n.edges[[2]int{p.Tasks[e.Task].Index, task.Index}][e.Kind] {
				t.Fatalf("plan has an edge too many: %v", e)
			}
			back := e
			back.Task = i
			if !slices.Contains(p.Down[e.Task], back) {
				t.Fatalf("%v is not in Down of the plan", e)
			}
		}
		for j, other := range p.Tasks {
			if (j != i && n.overlap(task.Index, other.Index)) != slices.Contains(p.Conflicts[i], j) {
				t.Fatalf("conflict of %s and %s", task.ID, other.ID)
			}
		}
	}
	want := 0
	for pair, kinds := range n.edges {
		if in[pair[0]] && in[pair[1]] {
			want += len(kinds)
		}
	}
	if edges != want {
		t.Fatalf("plan has %d edges, want %d", edges, want)
	}
}
