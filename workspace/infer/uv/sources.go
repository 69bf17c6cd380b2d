package uv

import (
	"path"
	"regexp"
	"strings"

	"github.com/haz-build/haz/workspace/infer/toml"
)

// list is requirements of a project: of an extra, of a group, or of neither.
type list struct {
	kind         string
	extra, group string // normalized
	items        *toml.Value
}

// lists are all requirements of a project. A hook that writes its versions into them is known by name; what other programs say of a
// dynamic list when they are started is not known.
func (p *project) lists() []list {
	var all []list
	for _, about := range []*toml.Value{p.doc.Get("project"), p.doc.Get("tool", "hatch", "metadata", "hooks", "uv-dynamic-versioning")} {
		all = append(all, list{kind: "dependencies", items: about.Get("dependencies")})
		for extra, items := range about.Get("optional-dependencies").Fields() {
			all = append(all, list{kind: "optional-dependencies", extra: normalized(extra), items: items})
		}
	}
	for group, items := range p.doc.Get("dependency-groups").Fields() {
		all = append(all, list{kind: "dependency-groups", group: normalized(group), items: items})
	}
	return append(all, list{kind: "dev-dependencies", group: "dev", items: p.doc.Get("tool", "uv", "dev-dependencies")},
		list{kind: "build-system", items: p.doc.Get("build-system", "requires")})
}

// resolve finds which requirements of a project lie in the workspace: those that its sources, or else the workspace's, say so of.
// Markers are not looked at: an edge is one on any system.
func (w *world) resolve(p *project) {
	if p.doc.Get("project") == nil {
		return
	}
	own := p.sources()
	var shared map[string]*toml.Value
	if p.member {
		shared = w.root.sources()
	}
	for _, l := range p.lists() {
		for _, item := range p.texts(l.items) {
			text, _ := item.Text()
			name := required(text)
			if name == "" || name == p.name {
				continue
			}
			from, source := p.dir, own[name]
			if source == nil {
				from, source = "/", shared[name]
			}
			for _, one := range alternatives(source) {
				if dir := w.source(p, l, name, from, one); dir != "" && dir != p.dir {
					p.uses = append(p.uses, use{dir, l.kind, item})
					break
				}
			}
		}
	}
}

// sources are those that a manifest names, by normalized name.
func (p *project) sources() map[string]*toml.Value {
	if p.bySource == nil {
		p.bySource = map[string]*toml.Value{}
		for name, v := range p.doc.Get("tool", "uv", "sources").Fields() {
			p.bySource[normalized(name)] = v
		}
	}
	return p.bySource
}

// alternatives are the sources of one requirement: a list of them, each for some marker, extra or group, or one.
func alternatives(v *toml.Value) []*toml.Value {
	if v.IsTable() {
		return []*toml.Value{v}
	}
	return v.Items()
}

// source is the folder of the workspace that one leads to; "" when it is none, or is of another extra or group.
func (w *world) source(p *project, l list, name, from string, v *toml.Value) string {
	if extra, ok := v.Get("extra").Text(); ok && normalized(extra) != l.extra {
		return ""
	}
	if group, ok := v.Get("group").Text(); ok && normalized(group) != l.group {
		return ""
	}
	if v.Get("workspace").True() {
		if to := w.byName[name]; to != nil && p.member {
			return to.dir
		}
		return ""
	}
	if to, ok := v.Get("path").Text(); ok {
		dir, _ := w.ways.To(from, to)
		return dir
	}
	return ""
}

// required is the name that a requirement begins with, normalized: `Foo_Bar[x]>=1; marker` is foo-bar. "" for what has none.
func required(text string) string {
	text = strings.TrimLeft(text, " \t")
	end := 0
	for i := 0; i < len(text) && (isAlphanumeric(text[i]) || i > 0 && strings.IndexByte("-_.", text[i]) >= 0); i++ {
		if isAlphanumeric(text[i]) {
			end = i + 1
		}
	}
	return normalized(text[:end])
}

func isAlphanumeric(c byte) bool { return 'a' <= c|0x20 && c|0x20 <= 'z' || '0' <= c && c <= '9' }

// normalized is a name as the index compares it: capitals are none, and runs of `-`, `_` and `.` are one dash.
func normalized(name string) string {
	if isNormal(name) {
		return name
	}
	var b strings.Builder
	dash := false
	for _, c := range strings.ToLower(name) {
		if c == '-' || c == '_' || c == '.' {
			dash = true
			continue
		}
		if dash {
			b.WriteByte('-')
			dash = false
		}
		b.WriteRune(c)
	}
	if dash {
		b.WriteByte('-')
	}
	return b.String()
}

// isNormal is a quick look: most names are written as they are compared.
func isNormal(name string) bool {
	for i := 0; i < len(name); i++ {
		switch c := name[i]; {
		case 'a' <= c && c <= 'z', '0' <= c && c <= '9':
		case c == '-' && i > 0 && name[i-1] != '-':
		default:
			return false
		}
	}
	return true
}

// exclusion is a glob of `exclude`. Its wildcards match slashes, too: that is how uv matches whole paths.
type exclusion struct{ *regexp.Regexp }

func (x exclusion) matches(dir string) bool { return x.MatchString(dir) }

// excluded are the globs of `exclude`, for paths from the root without a slash in front.
func (w *world) excluded(ws *toml.Value) []exclusion {
	var list []exclusion
	for _, e := range w.root.texts(ws.Get("exclude")) {
		text, _ := e.Text()
		if x, err := regexp.Compile(expression(path.Clean(text))); err == nil {
			list = append(list, exclusion{x})
		} else {
			w.root.mistakes = append(w.root.mistakes, e.Mistake(w.root.text, "this is no glob"))
		}
	}
	return list
}

// expression writes a glob as a regular expression.
func expression(glob string) string {
	var b strings.Builder
	b.WriteString(`(?s)\A`)
	for i := 0; i < len(glob); {
		end := -1
		if glob[i] == '[' && len(glob) >= i+3 { // "[]a]" and "[!]a]" hold a bracket
			first := i + 1
			if glob[first] == '!' {
				first++
			}
			if n := strings.IndexByte(glob[first+1:], ']'); n >= 0 {
				end = first + 1 + n
			}
		}
		switch {
		case strings.HasPrefix(glob[i:], "**/"):
			b.WriteString(`(?:.*/)?`)
			i += 3
		case glob[i] == '*':
			b.WriteString(`.*`)
			i++
		case glob[i] == '?':
			b.WriteByte('.')
			i++
		case end > 0:
			set := glob[i+1 : end]
			b.WriteByte('[')
			if set[0] == '!' {
				b.WriteByte('^')
				set = set[1:]
			}
			b.WriteString(strings.NewReplacer(`\`, `\\`, `[`, `\[`, `]`, `\]`, `^`, `\^`).Replace(set))
			b.WriteByte(']')
			i = end + 1
		default:
			n := strings.IndexAny(glob[i+1:], "*?[")
			if n < 0 {
				n = len(glob) - i - 1
			}
			b.WriteString(regexp.QuoteMeta(glob[i : i+1+n]))
			i += 1 + n
		}
	}
	b.WriteString(`\z`)
	return b.String()
}
