package moving

import (
	"path"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace/config"
)

// inputs are those of a task. package.json is always one, as in turbo: it holds the script.
func (t *turbo) inputs(w wish, def *turboTask, k *task) []string {
	var out []string
	all := true
	for _, i := range def.inputs {
		all = all && strings.HasPrefix(i.text, "!")
	}
	if all {
		out = append(out, "$project")
	}
	for _, i := range slices.Concat(def.inputs, def.dotEnv) {
		out = t.path(w, i, out, k)
	}
	if !slices.Contains(out, "$project") {
		out = append([]string{"package.json"}, out...)
	}
	return unique(out)
}

// path adds what turbo means by a text of inputs.
func (t *turbo) path(w wish, i item, out []string, k *task) []string {
	not, text := "", i.text
	if rest, ok := strings.CutPrefix(text, "!"); ok {
		not, text = "!", rest
	}
	text = t.anchored(w.of, text)
	if text == "$project" {
		return append(out, not+text)
	}
	p, err := pattern.Parse(text)
	switch {
	case err != nil:
		k.notes = append(k.notes, note{i.place, diag.Quote(i.text) + " does not carry over: " + err.Error()})
		return out
	case not == "" && p.IsLiteral():
		return append(out, t.optional(w, text)...)
	}
	return append(out, not+text)
}

// anchored spells a path of turbo's, which may lead out of the package, in our words.
func (t *turbo) anchored(p *pkg, text string) string {
	text = strings.TrimPrefix(config.RespellPattern(text), "./")
	if strings.HasPrefix(text, "../") {
		return path.Join(p.Dir, text)
	}
	return text
}

// optional is a literal of inputs that need not be there, which in turbo none need: as it is where each package with such a task has the
// file, otherwise as a glob. A folder is what lies in it.
func (t *turbo) optional(w wish, text string) []string {
	text = strings.TrimSuffix(text, "/")
	there, folder := true, false
	for _, p := range t.all {
		if !p.has[w.task] && p != w.of {
			continue
		}
		name := text
		if !strings.HasPrefix(text, "/") {
			name = path.Join(p.Dir, text)
		}
		there = there && t.disk.Has(name)
		folder = folder || t.disk.RealDir(name) != ""
	}
	switch {
	case folder:
		return []string{text + "/**"}
	case there:
		return []string{text}
	}
	return []string{asGlob(text)}
}

// asGlob is a glob that matches a literal alone.
func asGlob(literal string) string {
	at := strings.LastIndexByte(literal, '/') + 1
	if at >= len(literal) || strings.ContainsRune(`\[]!^-*?{}`, rune(literal[at])) || literal[at] >= 0x80 {
		return literal
	}
	return literal[:at] + "[" + literal[at:at+1] + "]" + literal[at+1:]
}

// outputs are those of a task: globs, since in turbo none of them need be made. What git tracks and a glob takes is an input as well, or it
// would be no source any more.
func (t *turbo) outputs(w wish, def *turboTask, k *task) {
	for _, i := range def.outputs {
		not, text := "", i.text
		if rest, ok := strings.CutPrefix(text, "!"); ok {
			not, text = "!", rest
		}
		text = strings.TrimSuffix(t.anchored(w.of, text), "/")
		p, err := pattern.Parse(text)
		if err != nil || text == "$project" {
			k.notes = append(k.notes, note{i.place, diag.Quote(i.text) + " does not carry over: it is no path"})
			continue
		}
		if not == "" && p.IsLiteral() {
			text = t.made(w.of, text)
		}
		k.outputs = append(k.outputs, not+text)
		if not == "" && slices.Contains(k.inputs, "$project") && t.takesTracked(w.of, p) {
			k.inputs = append(k.inputs, text)
		}
	}
	k.outputs, k.inputs = unique(k.outputs), unique(k.inputs)
}

// made is a glob for a literal of outputs.
func (t *turbo) made(of *pkg, text string) string { return t.madeIn(of.Dir, text) }

// madeIn is a glob for a literal of outputs of a project. What is no file, and has no name of one, is a folder.
func (s *source) madeIn(dir, text string) string {
	name := text
	if !strings.HasPrefix(text, "/") {
		name = path.Join(dir, text)
	}
	if !s.disk.Has(name) && (s.disk.RealDir(name) != "" || path.Ext(strings.TrimPrefix(path.Base(text), ".")) == "") {
		return text + "/**"
	}
	return asGlob(text)
}

// apart takes what tasks of a project make out of what globs select that look everywhere. In turbo these do not see it: products are
// ignored by git, or made later.
func (p *project) apart() {
	var made []string
	for _, t := range p.tasks {
		for _, out := range t.outputs {
			if !strings.HasPrefix(out, "!") && !slices.Contains(t.inputs, out) {
				made = append(made, out)
			}
		}
	}
	for _, t := range p.tasks {
		for _, in := range t.inputs {
			if !strings.HasPrefix(in, "*") {
				continue
			}
			glob, _ := pattern.Parse(in)
			for _, out := range unique(made) {
				if o, err := pattern.Parse(out); err == nil && pattern.Overlap(glob.Anchor(p.dir), o.Anchor(p.dir)) {
					t.exclude = append(t.exclude, out)
				}
			}
		}
		t.exclude = unique(t.exclude)
	}
}

// oneMaker leaves a file that several tasks of a project say as output to the first of them: here nobody makes what another task makes (EXEC-020). It is
// what compilers remember of their last run mostly. The others come behind, where the first one does not wait for them (AUX-045).
func (p *project) oneMaker() {
	byName := map[string]*task{}
	for _, t := range p.tasks {
		byName[t.name] = t
	}
	next := func(name string) (names []string) {
		if t := byName[name]; t != nil {
			for _, ref := range slices.Concat(t.deps, t.weakDeps) {
				names = append(names, strings.TrimSuffix(strings.TrimPrefix(ref, "~:"), "?"))
			}
		}
		return names
	}
	maker := map[string]string{} // of outputs, by name
	for _, t := range p.tasks {
		t.outputs = slices.DeleteFunc(slices.Clone(t.outputs), func(out string) bool {
			first := maker[out]
			if first == "" || strings.ContainsAny(out, "!*?{") {
				maker[out] = t.name
				return false
			}
			t.comments = unique(append(t.comments, "the output "+out+" is that of "+first+", which makes it too"))
			if ref := "~:" + first; !slices.Contains(t.deps, ref) && !slices.Contains(t.weakDeps, ref+"?") && !reaches(next, first, t.name) {
				t.weakDeps = append(t.weakDeps, ref+"?")
			}
			return true
		})
		if len(t.outputs) == 0 {
			t.outputs = nil
		}
	}
}

// takesTracked reports whether a pattern takes files of a package that git tracks.
func (t *turbo) takesTracked(of *pkg, p pattern.Pattern) bool { return t.tracks(of.Dir, p) }

// tracks reports whether a pattern of a project takes files of it that git tracks.
func (s *source) tracks(dir string, p pattern.Pattern) bool {
	p = p.Anchor(dir)
	below := strings.TrimSuffix(dir, "/") + "/"
	at, _ := slices.BinarySearch(s.tracked, below)
	for _, name := range s.tracked[at:] {
		if !strings.HasPrefix(name, below) {
			break
		}
		if p.MatchOutput(name) {
			return true
		}
	}
	return false
}
