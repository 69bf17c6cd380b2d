package lockfile

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"path"
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

// pnpmLock is a pnpm-lock.yaml of the versions 5 to 9. One of a single project may have what an importer has at the top.
type pnpmLock struct {
	Version   any                      `yaml:"lockfileVersion"`
	Importers map[string]*pnpmImporter `yaml:"importers"`
	pnpmOwn   `yaml:",inline"`
	Packages  map[string]*pnpmPackage `yaml:"packages"`
	Snapshots map[string]*pnpmPackage `yaml:"snapshots"` // from 9 on: what a package of packages was resolved to, by its peers
}

type pnpmImporter struct {
	pnpmOwn `yaml:",inline"`
}

type pnpmOwn struct {
	Dependencies         map[string]pnpmVersion `yaml:"dependencies"`
	OptionalDependencies map[string]pnpmVersion `yaml:"optionalDependencies"`
	DevDependencies      map[string]pnpmVersion `yaml:"devDependencies"`
}

// pnpmVersion is "1.2.0(peer@3.0.0)", alone or as `version`.
type pnpmVersion string

func (v *pnpmVersion) UnmarshalYAML(n *yaml.Node) error {
	if n.Kind == yaml.ScalarNode {
		*v = pnpmVersion(n.Value)
		return nil
	}
	var of struct {
		Version string `yaml:"version"`
	}
	err := n.Decode(&of)
	*v = pnpmVersion(of.Version)
	return err
}

type pnpmPackage struct {
	Resolution struct {
		Integrity string `yaml:"integrity"`
		Tarball   string `yaml:"tarball"`
		Commit    string `yaml:"commit"`
		Repo      string `yaml:"repo"`
		Directory string `yaml:"directory"`
	} `yaml:"resolution"`
	Name                 string                 `yaml:"name"`
	Version              string                 `yaml:"version"`
	Dependencies         map[string]pnpmVersion `yaml:"dependencies"`
	OptionalDependencies map[string]pnpmVersion `yaml:"optionalDependencies"`
}

func (p *pnpmPackage) pin() string {
	if p == nil {
		return ""
	}
	r := &p.Resolution
	return strings.Join([]string{r.Integrity, r.Tarball, r.Repo, r.Commit, r.Directory}, " ")
}

func readPnpm(text []byte) (*Lock, error) {
	var f pnpmLock
	if err := yaml.Unmarshal(text, &f); err != nil {
		return nil, err
	}
	if f.Version == nil {
		return nil, errors.New("it has no lockfileVersion")
	}
	nodes := f.Snapshots
	if len(nodes) == 0 {
		nodes = f.Packages
	}
	l := newLock(len(nodes))
	at := make(map[string]int32, len(nodes))
	for _, key := range slices.Sorted(maps.Keys(nodes)) {
		plain, peers, _ := strings.Cut(key, "(")
		of := f.Packages[plain]
		if of == nil {
			of = f.Packages[key]
		}
		at[key] = l.add(pnpmNamed(plain, peers, of))
	}
	importers := f.Importers
	if len(importers) == 0 {
		importers = map[string]*pnpmImporter{".": {f.pnpmOwn}}
	}
	dirs := slices.Sorted(maps.Keys(importers))
	for _, dir := range dirs {
		l.addMember(dir, "")
	}
	for key, n := range nodes {
		if n != nil {
			i := at[key]
			l.deps[i] = append(l.pnpmTo(at, n.Dependencies), l.pnpmTo(at, n.OptionalDependencies)...)
			if dir := n.Resolution.Directory; dir != "" { // injected: a copy of a member
				if m, ok := l.byDir[path.Clean(dir)]; ok {
					l.through[i] = []int32{m}
				}
			}
		}
	}
	for i, dir := range dirs {
		in, m := importers[dir], &l.members[i]
		if in == nil {
			continue
		}
		m.deps = append(l.pnpmTo(at, in.Dependencies), l.pnpmTo(at, in.OptionalDependencies)...)
		m.dev = l.pnpmTo(at, in.DevDependencies)
		m.uses = append(l.pnpmLinks(dir, in.Dependencies), l.pnpmLinks(dir, in.OptionalDependencies)...)
		m.devUses = l.pnpmLinks(dir, in.DevDependencies)
	}
	return l, nil
}

// pnpmNamed is the package of a key: "foo@1.0.0", "/foo@1.0.0", "/foo/1.0.0_react@18.0.0", or where it is from.
func pnpmNamed(key, peers string, of *pnpmPackage) Package {
	p := Package{Pin: strings.TrimSpace(peers + " " + of.pin())}
	name := strings.TrimPrefix(key, "/")
	var ok bool
	if p.Name, p.Version, ok = cutLast(name, "@"); !ok || strings.Contains(p.Version, "/") && strings.HasPrefix(key, "/") {
		if p.Name, p.Version, ok = cutLast(name, "/"); !ok {
			p.Name, p.Version = name, ""
		}
	}
	if strings.HasPrefix(key, "/") && strings.Contains(p.Name, "/") && !strings.HasPrefix(p.Name, "@") || strings.Count(p.Name, "/") > 1 {
		// version 5: /foo/1.0.0_react@18.0.0, whose last @ is that of a peer
		parts := strings.SplitN(name, "/", 3)
		if strings.HasPrefix(name, "@") && len(parts) == 3 {
			p.Name, p.Version = parts[0]+"/"+parts[1], parts[2]
		} else if !strings.HasPrefix(name, "@") {
			p.Name, p.Version, _ = strings.Cut(name, "/")
		}
	}
	if of != nil && of.Name != "" { // of a package that is not from a registry
		p.Name, p.Version = of.Name, of.Version
	}
	return p
}

// pnpmTo are the packages that dependencies mean, which are named by version, or by a key where that is an alias or from elsewhere.
func (l *Lock) pnpmTo(at map[string]int32, deps map[string]pnpmVersion) (to []int32) {
	for name, version := range deps {
		v := string(version)
		if strings.HasPrefix(v, "link:") {
			continue
		}
		found := false
		for _, key := range [...]string{name + "@" + v, "/" + name + "@" + v, "/" + name + "/" + v, v, "/" + v} {
			if i, ok := at[key]; ok {
				to, found = append(to, i), true
				break
			}
		}
		if !found {
			to = append(to, l.byName[name]...)
		}
	}
	return to
}

// pnpmLinks are the members that dependencies of one mean.
func (l *Lock) pnpmLinks(dir string, deps map[string]pnpmVersion) (to []int32) {
	for _, version := range deps {
		if link, ok := strings.CutPrefix(string(version), "link:"); ok {
			if m, ok := l.byDir[path.Join(dir, link)]; ok {
				to = append(to, m)
			}
		}
	}
	return to
}

// npmLock is a package-lock.json; version 1 has dependencies in place of packages.
type npmLock struct {
	Version      int                    `json:"lockfileVersion"`
	Packages     map[string]*npmPackage `json:"packages"`
	Dependencies map[string]*npmNested  `json:"dependencies"`
}

type npmPackage struct {
	Name                 string            `json:"name"`
	Version              string            `json:"version"`
	Resolved             string            `json:"resolved"`
	Integrity            string            `json:"integrity"`
	Link                 bool              `json:"link"`
	Dependencies         map[string]string `json:"dependencies"`
	DevDependencies      map[string]string `json:"devDependencies"`
	OptionalDependencies map[string]string `json:"optionalDependencies"`
	PeerDependencies     map[string]string `json:"peerDependencies"`
}

type npmNested struct {
	Version      string                `json:"version"`
	Resolved     string                `json:"resolved"`
	Integrity    string                `json:"integrity"`
	Requires     json.RawMessage       `json:"requires"` // a map, or a boolean
	Dependencies map[string]*npmNested `json:"dependencies"`
}

func readNpm(text []byte) (*Lock, error) {
	var f npmLock
	if err := json.Unmarshal(text, &f); err != nil {
		return nil, lineOf(text, err)
	}
	v1 := f.Packages == nil
	if v1 {
		f.Packages = map[string]*npmPackage{"": {}}
		npmFlat(f.Packages, "", f.Dependencies)
	}
	l := newLock(len(f.Packages))
	at := make(map[string]int32, len(f.Packages))
	keys := slices.Sorted(maps.Keys(f.Packages))
	for _, key := range keys {
		p := f.Packages[key]
		switch {
		case p == nil || p.Link:
		case !strings.Contains("/"+key, "/node_modules/"):
			at[key] = -1 - l.addMember(cleanDir(key), p.Name)
		default:
			name := p.Name
			if name == "" {
				name = key[strings.LastIndex("/"+key, "/node_modules/")+len("node_modules/"):]
			}
			at[key] = l.add(Package{name, p.Version, strings.TrimSpace(p.Integrity + " " + p.Resolved)})
		}
	}
	for _, key := range keys {
		i, ok := at[key]
		if !ok {
			continue
		}
		p, lists := f.Packages[key], npmLists{f.Packages, at, key}
		deps, uses := lists.to(p.Dependencies, p.OptionalDependencies, p.PeerDependencies)
		if i >= 0 {
			if l.deps[i] = deps; len(uses) > 0 {
				l.through[i] = uses
			}
			continue
		}
		m := &l.members[-1-i]
		m.deps, m.uses = deps, uses
		m.dev, m.devUses = lists.to(p.DevDependencies)
	}
	if v1 {
		l.members, l.needs = nil, func([]Member) resolver { return l.named }
	}
	return l, nil
}

func cleanDir(key string) string {
	if key == "" {
		return "."
	}
	return key
}

// npmFlat names what is nested by where it is installed.
func npmFlat(to map[string]*npmPackage, at string, deps map[string]*npmNested) {
	for name, n := range deps {
		if n == nil {
			continue
		}
		p := &npmPackage{Version: n.Version, Resolved: n.Resolved, Integrity: n.Integrity}
		_ = json.Unmarshal(n.Requires, &p.Dependencies)
		key := strings.TrimPrefix(at+"/node_modules/"+name, "/")
		to[key] = p
		npmFlat(to, key, n.Dependencies)
	}
}

// npmLists are the dependencies of what lies in a folder.
type npmLists struct {
	packages map[string]*npmPackage
	at       map[string]int32
	dir      string
}

// to finds what names mean as node does: in the nearest node_modules.
func (n npmLists) to(lists ...map[string]string) (packages, members []int32) {
	for _, list := range lists {
		for name := range list {
			key, ok := n.find(name)
			if !ok {
				continue // an optional one that is not installed
			}
			if p := n.packages[key]; p.Link {
				key = p.Resolved
			}
			switch i, known := n.at[key]; {
			case !known:
			case i < 0:
				members = append(members, -1-i)
			default:
				packages = append(packages, i)
			}
		}
	}
	return packages, members
}

func (n npmLists) find(name string) (key string, ok bool) {
	for dir := n.dir; ; dir = path.Dir(dir) {
		if dir == "." {
			dir = ""
		}
		key = strings.TrimPrefix(dir+"/node_modules/"+name, "/")
		if n.packages[key] != nil {
			return key, true
		}
		if dir == "" {
			return "", false
		}
	}
}

// named takes all packages of a name.
func (l *Lock) named(n Need) []int32 { return l.byName[n.Name] }

// lineOf names the line of a mistake in JSON.
func lineOf(text []byte, err error) error {
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return fmt.Errorf("line %d: %w", 1+strings.Count(string(text[:min(int(syntax.Offset), len(text))]), "\n"), err)
	}
	return err
}
