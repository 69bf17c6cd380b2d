package golang

import (
	"golang.org/x/mod/modfile"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace/infer"
)

// manifest is what counts of a go.mod. Lines are in the order in which they stand.
type manifest struct {
	module   string // its path; "" where go.mod does not say it
	golang   string // the version of the language; "" where it does not say that
	at       span   // of that line
	requires []required
	replaces []replaced
	ignores  []string
}

// required is `require path version`.
type required struct {
	path, version string
	at            span
}

// replaced is `replace old => new`.
type replaced struct{ old, oldVersion, new, newVersion string }

// span is from where to where, in bytes, a line stands: without what follows it as a comment.
type span struct{ start, end int }

func spanOf(line *modfile.Line) span {
	start, end := line.Span()
	return span{start.Byte, end.Byte}
}

func (s span) place(t *infer.Text) diag.Place { return t.Place(s.start, s.end) }

// parse reads a go.mod. Where it is broken, what can be read of it counts.
func parse(t *infer.Text) (*manifest, diag.List) {
	if m := plain(string(t.Bytes)); m != nil {
		return m, nil
	}
	var wrong diag.List
	f, err := modfile.Parse(t.File(), t.Bytes, anyVersion)
	if err != nil {
		wrong = mistakes(t, err)
		if f, err = modfile.ParseLax(t.File(), t.Bytes, anyVersion); err != nil {
			return &manifest{}, wrong
		}
	}
	if wrong == nil && f.Module == nil {
		wrong = diag.List{t.Mistake(infer.RuleBroken, 0, 0, "go.mod does not say the path of the module")}
	}
	return manifestOf(f), wrong
}

func manifestOf(f *modfile.File) *manifest {
	m := &manifest{replaces: replacedOf(f.Replace)}
	if f.Module != nil {
		m.module, m.at = f.Module.Mod.Path, spanOf(f.Module.Syntax)
	}
	if f.Go != nil {
		m.golang = f.Go.Version
	}
	for _, r := range f.Require {
		m.requires = append(m.requires, required{r.Mod.Path, r.Mod.Version, spanOf(r.Syntax)})
	}
	for _, i := range f.Ignore {
		m.ignores = append(m.ignores, i.Path)
	}
	return m
}

// replacedOf are lines of a go.mod or a go.work.
func replacedOf(lines []*modfile.Replace) []replaced {
	var list []replaced
	for _, r := range lines {
		list = append(list, replaced{r.Old.Path, r.Old.Version, r.New.Path, r.New.Version})
	}
	return list
}
