package node

import (
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace/infer"
)

// manifestFile is what makes a folder a package.
const manifestFile = "package.json"

// manifest is what a package.json says of the package and of what it depends on.
type manifest struct {
	dir    string
	text   *infer.Text
	broken bool // it is no JSON: it makes no package

	name    text
	version string
	private bool
	entry   bool // others can import it: it names a file for that
	deps    []dependency
	scripts []text // their names
	odd     []text // names of scripts that are no texts

	// What counts in the root only.
	manager       string // "pnpm@10.2.0"
	workspaces    []text
	hasWorkspaces bool
	catalogs      catalogs
	overrides     []override
}

// text is one of the manifest with its place.
type text struct {
	value string
	at    span
}

// dependency is one entry of one of the lists; at is that of the name.
type dependency struct {
	kind kind
	name text
	spec string
}

// kind is a list of dependencies, by its key.
type kind string

const (
	ofUse      kind = "dependencies"
	ofDev      kind = "devDependencies"
	ofPeer     kind = "peerDependencies"
	ofOptional kind = "optionalDependencies"
)

// catalogs are specs by catalog, then package; "" is the catalog that `catalog:` means, which is also called default.
type catalogs map[string]map[string]string

func (c catalogs) set(catalog, name, spec string) {
	if catalog == defaultCatalog {
		catalog = ""
	}
	if c[catalog] == nil {
		c[catalog] = map[string]string{}
	}
	c[catalog][name] = spec
}

const defaultCatalog = "default"

// override is a spec that counts instead of those of dependencies with the name; of, if it is not "", is the only package whose
// dependencies it changes, and in, if it is not "", the range that their specs have to meet.
type override struct{ of, name, in, spec string }

// readManifest reads that of a folder. Where there is none both are nil; what is wrong with it are mistakes, and what could be read is
// given all the same. Of what is no JSON that is what stands before the mistake.
func readManifest(d *infer.Disk, dir string) (*manifest, diag.List) {
	t, bad := d.Manifest(strings.TrimSuffix(dir, "/") + "/" + manifestFile)
	switch {
	case bad != nil:
		return nil, diag.List{*bad}
	case t == nil:
		return nil, nil
	}
	return parse(dir, t)
}

func parse(dir string, t *infer.Text) (*manifest, diag.List) {
	r := parser{scanner: scanner{text: string(t.Bytes)}, m: &manifest{dir: dir, text: t}}
	bad := r.document(func() {
		if !r.object(r.top) {
			r.want("", "an object")
		}
	})
	if bad != nil {
		d := t.Mistake(infer.RuleBroken, bad.start, bad.end, "this is no JSON: "+bad.message)
		d.Hint = bad.hint
		r.m.broken = true
		return r.m, diag.List{d}
	}
	return r.m, r.mistakes
}

// parser fills a manifest.
type parser struct {
	scanner
	m        *manifest
	mistakes diag.List
}

// top reads the value of a key at the top.
func (r *parser) top(key string, _ span) {
	switch key {
	case "name":
		r.m.name = r.text(key)
	case "version":
		r.m.version = strings.TrimSpace(r.text(key).value)
	case "packageManager":
		r.m.manager = r.text(key).value
	case "private":
		r.m.private = r.next() == 't'
		r.skip()
	case "scripts":
		r.scripts()
	case "main", "module", "exports", "types", "typings", "browser":
		r.m.entry = r.next() != 'n'
		r.skip()
	case string(ofUse), string(ofDev), string(ofPeer), string(ofOptional):
		r.m.deps = slices.DeleteFunc(r.m.deps, func(d dependency) bool { return d.kind == kind(key) }) // of a key that is there twice the last one counts
		r.specs(key, func(name text, spec string) { r.m.deps = append(r.m.deps, dependency{kind(key), name, spec}) })
	case "workspaces":
		r.workspaces()
	case "catalog", "catalogs":
		r.catalog(key)
	case "resolutions", "overrides":
		r.override()
	case "pnpm":
		if !r.object(func(key string, _ span) {
			if key == "overrides" {
				r.override()
			} else {
				r.skip()
			}
		}) {
			r.skip()
		}
	default:
		r.skip()
	}
}

// want says that another type stands there, and reads it.
func (r *parser) want(key, want string) {
	found := r.describe()
	start := r.at
	r.skip()
	if r.bad != nil {
		return
	}
	message := "want " + want + ", found " + found
	if key != "" {
		message = "`" + key + "`: " + message
	}
	end := r.at
	if found == "an object" || found == "a list" {
		end = start + 1
	}
	r.mistakes = append(r.mistakes, r.m.text.Mistake(infer.RuleBroken, start, end, message))
}

// text reads the text of a key; null is as if the key were not there.
func (r *parser) text(key string) text {
	switch r.next() {
	case '"':
		value, at := r.str()
		return text{value, at}
	case 'n':
		r.skip()
	default:
		r.want(key, "a text")
	}
	return text{}
}

// specs reads a map of names to versions, and what stands for one.
func (r *parser) specs(key string, each func(name text, spec string)) {
	if r.next() == 'n' {
		r.skip()
		return
	}
	if !r.object(func(name string, at span) {
		if r.next() != '"' {
			r.want(key+"."+name, "a text")
			return
		}
		spec, _ := r.str()
		each(text{name, at}, spec)
	}) {
		r.want(key, "an object")
	}
}

// scripts reads names. What is no text is for those to tell who ask for scripts.
func (r *parser) scripts() {
	r.m.scripts, r.m.odd = nil, nil
	if !r.object(func(name string, at span) {
		if r.next() == '"' {
			r.m.scripts = append(r.m.scripts, text{name, at})
		} else {
			r.m.odd = append(r.m.odd, text{name, at})
		}
		r.skip()
	}) {
		r.skip()
	}
}

// workspaces reads a list of globs, or an object that has one, and catalogs beside it.
func (r *parser) workspaces() {
	r.m.workspaces, r.m.hasWorkspaces = nil, false
	switch r.next() {
	case 'n', 'f':
		r.skip()
	case '{':
		r.m.hasWorkspaces = true
		r.object(func(key string, _ span) {
			switch key {
			case "packages":
				r.globs("workspaces.packages")
			case "catalog", "catalogs":
				r.catalog(key)
			default:
				r.skip()
			}
		})
	default:
		r.m.hasWorkspaces = true
		r.globs("workspaces")
	}
}

func (r *parser) globs(key string) {
	r.m.workspaces = nil
	if !r.list(func() {
		if r.next() != '"' {
			r.want(key, "a text")
			return
		}
		value, at := r.str()
		r.m.workspaces = append(r.m.workspaces, text{value, at})
	}) {
		r.want(key, "a list of folders")
	}
}

func (r *parser) catalog(key string) {
	if r.m.catalogs == nil {
		r.m.catalogs = catalogs{}
	}
	one := func(catalog, path string) {
		r.specs(path, func(name text, spec string) { r.m.catalogs.set(catalog, name.value, spec) })
	}
	if key == "catalog" {
		one("", key)
		return
	}
	if !r.object(func(catalog string, _ span) { one(catalog, key+"."+catalog) }) {
		r.want(key, "an object")
	}
}

// override reads what other specs give way to. What npm nests below a name is about packages that are no projects.
func (r *parser) override() {
	if !r.object(func(selector string, _ span) {
		if r.next() != '"' {
			r.skip()
			return
		}
		spec, _ := r.str()
		r.m.overrides = append(r.m.overrides, parseOverride(selector, spec))
	}) {
		r.skip()
	}
}

// parseOverride takes a selector apart: "name", "name@range", of pnpm "parent>name", of yarn "parent/name" and "**/name".
func parseOverride(selector, spec string) override {
	o := override{name: strings.TrimPrefix(selector, "**/"), spec: spec}
	if of, name, found := strings.Cut(o.name, ">"); found && of != "" && !strings.HasSuffix(of, "@") {
		o.of, o.name = of, name
	}
	o.name, o.in = cutRange(o.name)
	o.in = strings.TrimPrefix(o.in, "npm:")
	if at := strings.LastIndexByte(o.name, '/'); at > 0 {
		if scope := strings.LastIndexByte(o.name[:at], '/') + 1; o.name[scope] == '@' {
			at = scope - 1
		}
		if at > 0 {
			o.of, o.name = o.name[:at], o.name[at+1:]
		}
	}
	o.of, _ = cutRange(o.of)
	return o
}

// cutRange takes "name@range" apart; the @ of a scope is part of the name.
func cutRange(s string) (name, spec string) {
	for at := 1; at < len(s); at++ {
		if s[at] == '@' && s[at-1] != '/' {
			return s[:at], s[at+1:]
		}
	}
	return s, ""
}
