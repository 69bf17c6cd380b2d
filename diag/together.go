package diag

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
)

// together leaves, of mistakes of one place and code that were found in several projects, the first of the first project, which
// then names the others: it is one mistake, made once.
func (l List) together() List {
	var out List
	for i := 0; i < len(l); {
		end := i + 1
		for end < len(l) && l[i].Project != "" && l[end].Project != "" && l[i].samePlace(l[end]) {
			end++
		}
		out = append(out, oneOf(l[i:end]))
		i = end
	}
	return out
}

func (d Diagnostic) samePlace(o Diagnostic) bool {
	return d.Code == o.Code && d.Severity == o.Severity && d.KeyPath == o.KeyPath && d.Place == o.Place
}

// projectsMax is how many further projects a diagnostic names.
const projectsMax = 3

func oneOf(same List) Diagnostic {
	first := slices.MinFunc(same, func(a, b Diagnostic) int { return cmp.Compare(a.Project, b.Project) })
	var others []string
	for _, d := range same {
		if d.Project != first.Project {
			others = append(others, d.Project)
		}
	}
	slices.Sort(others)
	others = slices.Compact(others)
	first.Project = ""
	if n := len(others); n > 0 {
		noun, names := "project", make([]string, 0, projectsMax)
		if n > 1 {
			noun = "projects"
		}
		for _, p := range others[:min(n, projectsMax)] {
			names = append(names, Quote(p))
		}
		if n > projectsMax {
			names = append(names, "…")
		}
		first.Message += fmt.Sprintf("; the same in %d more %s: %s", n, noun, strings.Join(names, ", "))
	}
	return first
}
