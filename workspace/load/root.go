package load

import (
	"maps"
	"slices"
	"strings"

	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
)

// endsOfRoot are the folders of all other projects, as one exception. Those that a sparse checkout leaves out are among them, so that a key does not
// depend on what is checked out.
func (l *loader) endsOfRoot() []pattern.Pattern {
	dirs := slices.Sorted(maps.Keys(l.leftOut))
	dirs = slices.DeleteFunc(append(dirs, l.nested("/")...), func(dir string) bool { return dir == "/" })
	if len(dirs) == 0 {
		return nil
	}
	slices.Sort(dirs)
	return []pattern.Pattern{pattern.Folders(dirs)}
}

// endRoot ends relative patterns of the root, where that is one project of several, where other projects begin (PATH-028). One that names something in
// the folder of another project in front of its wildcards means that; so does one that starts with "/", as in every project.
func (b *builder) endRoot(decls []workspace.PatternDecl, dir string) {
	if dir != "/" || b.ends == nil {
		return
	}
	ends := b.ends()
	if len(ends) == 0 {
		return
	}
	for i := range decls {
		d := &decls[i]
		if prefix := beforeWildcards(d.Pattern); !strings.HasPrefix(d.Text, "/") && !d.Pattern.IsListed() && !ends[0].Match(prefix) && ends[0].MayMatchBelow(prefix) {
			d.Pattern = d.Pattern.Except(ends)
		}
	}
}

// beforeWildcards is the path of a literal, and the folder that a glob begins in.
func beforeWildcards(p pattern.Pattern) string {
	if p.IsLiteral() {
		return p.Path()
	}
	return p.FixedPrefix()
}
