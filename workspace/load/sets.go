package load

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/config"
)

// set is a named set of files, where it was written.
type set struct {
	config.FileSet
	src *config.Source
}

// sets are the named sets that a project sees (haz::cfg::060): its own, and those of the workspace.
type sets struct {
	project     string
	own, common map[string]*set
	unknown     bool // not all of them could be read, so that nothing is said of one that is missing

	checked map[string]bool // is sound, with all that it uses; false: it is not, and that was told
	weight  map[string]int  // of a sound one: the items that it comes to
}

func setsOf(list []config.FileSet, src *config.Source) map[string]*set {
	if len(list) == 0 {
		return nil
	}
	out := make(map[string]*set, len(list))
	for _, s := range list {
		out[s.Name.Value] = &set{s, src}
	}
	return out
}

// projectSets are the sets that a project sees.
func (l *loader) projectSets(name string, c *config.Project) *sets {
	s := &sets{project: name, own: setsOf(c.Files, c.Source), common: l.sets, unknown: !c.FilesKnown}
	if l.settings != nil && !l.settings.FilesKnown {
		s.unknown = true
	}
	return s
}

// find is the set that a name means: the project's, else the workspace's.
func (s *sets) find(name string) *set {
	if own := s.own[name]; own != nil {
		return own
	}
	return s.common[name]
}

// setMax is how many items a set may come to, with those that it uses. Real sets have a handful; sets of sets double quickly.
const setMax = 1000

// members are the patterns that an item of inputs stands for (PATH-024), anchored in dir, with what the set itself takes away. A set
// that is not there, or that is wrong, has none, and is told once.
func (b *builder) members(item config.Pattern, of *layer, dir string) []workspace.PatternDecl {
	switch {
	case b.sets == nil:
		return nil
	case item.Set == workspace.ProjectSet:
		return []workspace.PatternDecl{b.project(item, of.src, dir, of.shared)}
	case item.Set == workspace.LockSet:
		return b.lock(item, of.src, dir, of.shared)
	case !b.checkSet(item, of.src, nil):
		return nil
	}
	list := b.inSet(b.sets.find(item.Set), dir)
	via := &workspace.Item{Text: item.Value, Place: of.src.Place(item.Span)}
	for i := range list {
		list[i].Via = via
	}
	return list
}

// inSet anchors what a set is, which was checked. What it takes away is known to the patterns alone.
func (b *builder) inSet(s *set, dir string) []workspace.PatternDecl {
	var l selected
	for _, item := range s.Items.Items {
		decls := []workspace.PatternDecl{{Text: item.Value, Pattern: item.Glob.Anchor(dir), Place: s.src.Place(item.Span), Shared: true}}
		switch item.Set {
		case "":
		case workspace.ProjectSet:
			decls[0] = b.project(item, s.src, dir, true)
		case workspace.LockSet:
			decls = b.lock(item, s.src, dir, true)
		default:
			decls = b.inSet(b.sets.find(item.Set), dir)
		}
		if item.Not && b.takesWord(decls, s.src.Place(item.Span), item.Value) {
			continue
		}
		l.add(decls, nil, item.Not)
	}
	l.except(l.not()) // there is room: a set is small
	for i := range l.decls {
		l.decls[i].Not = nil
	}
	return l.decls
}

// project is $project.
func (b *builder) project(item config.Pattern, src *config.Source, dir string, shared bool) workspace.PatternDecl {
	var nested []string
	if b.nested != nil {
		nested = b.nested(dir)
	}
	return workspace.PatternDecl{Text: item.Value, Place: src.Place(item.Span), Pattern: pattern.Listed(dir, nested), Quiet: true, Shared: shared}
}

// checkSet reports whether the set that an item means is there and sound, and tells once what is wrong. using are the sets on the way.
func (b *builder) checkSet(item config.Pattern, src *config.Source, using []use) bool {
	return b.checkUsed(append(using, use{item.Set, src.Place(item.Span)}))
}

// checkUsed is checkSet for the last of the sets on the way.
func (b *builder) checkUsed(using []use) bool {
	name := using[len(using)-1].name
	if sound, done := b.sets.checked[name]; done {
		return sound
	}
	if b.sets.checked == nil {
		b.sets.checked, b.sets.weight = map[string]bool{}, map[string]int{}
	}
	if first := slices.IndexFunc(using[:len(using)-1], func(u use) bool { return u.name == name }); first >= 0 {
		b.circle(using[first+1:])
		return false
	}
	s := b.sets.find(name)
	if s == nil {
		b.noSuchSet(name, using)
		b.sets.checked[name] = false
		return false
	}
	sound, weight := true, 1
	for _, item := range s.Items.Items {
		if item.Set == "" || item.Set == workspace.ProjectSet || item.Set == workspace.LockSet {
			weight++
			continue
		}
		sound = b.checkSet(item, s.src, using) && sound
		weight = min(weight+b.sets.weight[item.Set], setMax+1)
	}
	if sound && weight > setMax {
		sound = false
		b.setDiag("haz::cfg::064", s.src.Place(s.Name.Span), fmt.Sprintf("the set %s comes to more than %d patterns", diag.Quote(name), setMax), "write a pattern that selects more")
	}
	b.sets.checked[name], b.sets.weight[name] = sound, weight
	return sound
}

// use is a name of a set, where it is used; the zero place: nowhere, it is looked at where it is declared.
type use struct {
	name  string
	place diag.Place
}

// circle reports sets that use each other, each once. It begins with the name that is first in the alphabet, however it was found.
func (b *builder) circle(uses []use) {
	first := slices.IndexFunc(uses, func(u use) bool {
		return u.name == slices.MinFunc(uses, func(a, b use) int { return strings.Compare(a.name, b.name) }).name
	})
	uses = slices.Concat(uses[first:], uses[:first])
	names := make([]string, 0, len(uses)+1)
	for _, u := range uses {
		names = append(names, "$"+u.name)
	}
	d := b.setDiag("haz::cfg::064", uses[0].place, "the sets use each other in a circle: "+strings.Join(append(names, names[0]), " uses "), "remove one of these uses")
	if len(uses) == 1 {
		name := uses[0].name
		d.Message = "the set " + diag.Quote(name) + " uses itself"
		if b.sets.common[name] != nil && b.sets.own[name] != nil {
			d.Hint = "a set of the project stands in the place of the workspace's; give it another name to use both"
		}
	}
	for _, u := range uses[1:] {
		d.Related = append(d.Related, diag.Related{Place: u.place, Label: "$" + u.name + " is used here"})
	}
}

// noSuchSet reports a name that is that of no set.
func (b *builder) noSuchSet(name string, using []use) {
	if b.sets.unknown {
		return
	}
	names := slices.AppendSeq(slices.Collect(maps.Keys(b.sets.own)), maps.Keys(b.sets.common))
	slices.Sort(names)
	names = slices.Compact(names)
	hint := `for a file of that name write ` + diag.Quote(`\$`+name)
	if near := diag.Nearest(name, append(slices.Clip(names), workspace.ProjectSet, workspace.LockSet)); near != "" {
		hint = diag.DidYouMean("$" + near)
	} else if other := config.ForeignSet(name); other != "" {
		hint = other
	} else if few := 6; len(names) > 0 && len(names) <= few {
		hint = "there is $" + strings.Join(names, ", $") + "; " + hint
	} else if len(names) == 0 {
		hint = "sets are declared in haz.yml or the workspace file: files: {" + name + ": [\"src/**\"]}; " + hint
	}
	last := using[len(using)-1]
	d := b.setDiag("haz::cfg::063", last.place, "there is no set of files named "+diag.Quote(name), hint)
	for _, u := range slices.Backward(using[:len(using)-1]) {
		if u.place == (diag.Place{}) {
			continue
		}
		d.Related = append(d.Related, diag.Related{Place: u.place, Label: "$" + u.name + " is used here"})
	}
}

// setDiag adds a diagnostic. One about the workspace's sets, or an overlay, is that of each project that uses them, and told once.
func (b *builder) setDiag(code string, at diag.Place, message, hint string) *diag.Diagnostic {
	b.diags = append(b.diags, diag.Diagnostic{Code: code, Place: at, Message: message, Hint: hint, Project: b.sets.project})
	return &b.diags[len(b.diags)-1]
}

// checkOwnSets checks the sets of a project that no task uses as well.
func (b *builder) checkOwnSets(s *sets, list []config.FileSet) {
	b.sets = s
	for _, set := range list {
		b.checkUsed([]use{{name: set.Name.Value}})
	}
}

// checkSets checks those of the workspace that no project uses. They may use sets of any project.
func (l *loader) checkSets(projects []*project) {
	if len(l.sets) == 0 {
		return
	}
	all := &sets{common: l.sets, unknown: !l.settings.FilesKnown || l.ws.Partial.Projects, checked: map[string]bool{}, weight: map[string]int{}}
	for _, p := range projects {
		if p.sets == nil {
			all.unknown = true
			continue
		}
		all.unknown = all.unknown || p.sets.unknown
		for name := range p.sets.own {
			if l.sets[name] == nil {
				all.checked[name] = true
			}
		}
		for name, sound := range p.sets.checked {
			if !sound && l.sets[name] != nil {
				all.checked[name] = false // told
			}
		}
	}
	b := builder{src: l.settings.Source}
	b.checkOwnSets(all, l.settings.Files)
	l.diags = append(l.diags, b.diags...)
}
