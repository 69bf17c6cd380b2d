package outputs

import (
	"context"
	"slices"

	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/fsys"
)

// maxUndeclaredLooks bounds how many files Undeclared looks at; what tools keep beside their outputs lies near the top.
const maxUndeclaredLooks = 50_000

// Undeclared looks for files below dir that were written to while a task ran, in one of spans, and that nobody declares: state
// that a tool keeps outside of its outputs, and because of which it may make less than it would in a fresh tree. known reports
// files that are declared, or of no concern; skip reports directories that are not entered. The result is sorted; what cannot be
// looked at is left out. Directories near dir come first, and after a bounded number of files the search ends.
func Undeclared(ctx context.Context, fs fsys.FS, dir string, spans []state.Span, known, skip func(path string) bool) []string {
	var found []string
	looks := 0
	for todo := []string{dir}; len(todo) > 0 && ctx.Err() == nil; {
		at := todo[0]
		todo = todo[1:]
		list, err := fs.List(at)
		if err != nil {
			continue
		}
		for _, e := range list {
			path := at + "/" + e.Name
			if at == "/" {
				path = "/" + e.Name
			}
			if looks++; looks > maxUndeclaredLooks {
				slices.Sort(found)
				return found
			}
			info, err := fs.Lstat(path)
			switch {
			case err != nil:
			case info.Kind == fsys.Dir:
				if !skip(path) {
					todo = append(todo, path)
				}
			case info.Kind == fsys.File && isWithin(spans, info) && !known(path):
				found = append(found, path)
			}
		}
	}
	slices.Sort(found)
	return found
}

func isWithin(spans []state.Span, info fsys.Info) bool {
	return slices.ContainsFunc(spans, func(s state.Span) bool { return s.Within(info) })
}
