package lockfile

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/pelletier/go-toml/v2"
	"golang.org/x/mod/semver"
)

// readGo reads go.sum, or several of a workspace one after the other. It lists what was downloaded; what a module needs stands in its go.mod.
func readGo(text []byte) (*Lock, error) {
	l := newLock(len(text) / 128)
	known := map[Package]bool{}
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		f := strings.Fields(line)
		switch {
		case len(f) == 0:
			continue
		case len(f) != 3 || !strings.HasPrefix(f[1], "v"):
			return nil, fmt.Errorf("line %d: want a module, a version and a checksum", number)
		case strings.HasSuffix(f[1], "/go.mod"): // it was looked at to choose versions, which go.mod tells
			continue
		}
		if p := (Package{f[0], f[1], f[2]}); !known[p] {
			known[p] = true
			l.add(p)
		}
	}
	l.needs = l.goModules
	return l, nil
}

// readGoWork reads the sums of a go.work: its own, behind those of the modules that it uses. Which version is built hangs on all that any of
// these modules requires, and on what their requirements require, which no sum tells. So a version is known where it is the only one that was ever
// downloaded to be built.
func readGoWork(text []byte) (*Lock, error) {
	l, err := readGo(text)
	if err != nil {
		return nil, err
	}
	l.unsure = func(n Need) bool {
		return slices.ContainsFunc(l.byName[n.Name], func(i int32) bool { return l.Packages[i].Version != n.Spec })
	}
	return l, nil
}

// goModules finds the version of a module that is built: in a workspace the highest that any of its members needs.
func (l *Lock) goModules(members []Member) resolver {
	highest := map[string]string{}
	for _, m := range members {
		for _, n := range m.Needs {
			if was, ok := highest[n.Name]; !ok || semver.Compare(n.Spec, was) > 0 {
				highest[n.Name] = n.Spec
			}
		}
	}
	return func(n Need) (found []int32) {
		for _, i := range l.byName[n.Name] {
			if l.Packages[i].Version == highest[n.Name] {
				found = append(found, i)
			}
		}
		if len(found) == 0 {
			return l.byName[n.Name] // a replacement has another version
		}
		return found
	}
}

// cargoLock is a Cargo.lock.
type cargoLock struct {
	Package []struct {
		Name         string   `toml:"name"`
		Version      string   `toml:"version"`
		Source       string   `toml:"source"` // "" of a member, or of a path
		Checksum     string   `toml:"checksum"`
		Dependencies []string `toml:"dependencies"` // "name", "name version" or "name version (source)"
	} `toml:"package"`
	Metadata map[string]string `toml:"metadata"` // version 1: checksums
}

func readCargo(text []byte) (*Lock, error) {
	var f cargoLock
	if err := toml.Unmarshal(text, &f); err != nil {
		return nil, tomlError(err)
	}
	l := newLock(len(f.Package))
	at := make([]int32, len(f.Package))
	names := make(map[string][]int, len(f.Package)) // each spelling of a dependency
	for i, p := range f.Package {
		if p.Name == "" {
			return nil, errors.New("a package has no name")
		}
		if p.Source == "" {
			at[i] = -1 - l.addMember("", p.Name)
		} else {
			sum := p.Checksum
			if sum == "" {
				sum = f.Metadata["checksum "+p.Name+" "+p.Version+" ("+p.Source+")"]
			}
			at[i] = l.add(Package{p.Name, p.Version, strings.TrimSpace(sum + " " + p.Source)})
		}
		plain, _, _ := strings.Cut(p.Source, "#")
		for _, s := range []string{p.Name, p.Name + " " + p.Version, p.Name + " " + p.Version + " (" + p.Source + ")", p.Name + " " + p.Version + " (" + plain + ")"} {
			if !slices.Contains(names[s], i) {
				names[s] = append(names[s], i)
			}
		}
	}
	for i, p := range f.Package {
		var packages, members []int32
		for _, d := range p.Dependencies {
			for _, j := range names[d] {
				if at[j] < 0 {
					members = append(members, -1-at[j])
				} else {
					packages = append(packages, at[j])
				}
			}
		}
		l.put(at[i], packages, members)
	}
	return l, nil
}

// put says what a package or, where at is negative, a member depends on.
func (l *Lock) put(at int32, packages, members []int32) {
	if at < 0 {
		m := &l.members[-1-at]
		m.deps, m.uses = append(m.deps, packages...), append(m.uses, members...)
		return
	}
	if l.deps[at] = packages; len(members) > 0 {
		l.through[at] = members
	}
}

// uvLock is a uv.lock.
type uvLock struct {
	Package []uvPackage `toml:"package"`
}

type uvPackage struct {
	Name    string `toml:"name"`
	Version string `toml:"version"`
	Source  struct {
		Registry  string `toml:"registry"`
		Git       string `toml:"git"`
		URL       string `toml:"url"`
		Path      string `toml:"path"`
		Editable  string `toml:"editable"`
		Virtual   string `toml:"virtual"`
		Directory string `toml:"directory"`
	} `toml:"source"`
	Dependencies []uvDependency            `toml:"dependencies"`
	Optional     map[string][]uvDependency `toml:"optional-dependencies"`
	Dev          map[string][]uvDependency `toml:"dev-dependencies"`
	Sdist        struct {
		Hash string `toml:"hash"`
	} `toml:"sdist"`
	Wheels []struct {
		Hash string `toml:"hash"`
		URL  string `toml:"url"`
	} `toml:"wheels"`
}

type uvDependency struct {
	Name    string `toml:"name"`
	Version string `toml:"version"`
}

// dir is the folder of a member; "" of what is none.
func (p *uvPackage) dir() string {
	for _, dir := range []string{p.Source.Editable, p.Source.Virtual, p.Source.Directory} {
		if dir != "" {
			return dir
		}
	}
	return ""
}

func (p *uvPackage) pin() string {
	parts := []string{p.Source.Registry + p.Source.Git + p.Source.URL + p.Source.Path}
	if p.Sdist.Hash != "" {
		parts = append(parts, p.Sdist.Hash)
	}
	for _, w := range p.Wheels {
		if w.Hash != "" {
			parts = append(parts, w.Hash)
		} else {
			parts = append(parts, w.URL)
		}
	}
	return strings.Join(parts, " ")
}

func readUv(text []byte) (*Lock, error) {
	var f uvLock
	if err := toml.Unmarshal(text, &f); err != nil {
		return nil, tomlError(err)
	}
	l := newLock(len(f.Package))
	at := make([]int32, len(f.Package))
	byName := map[string][]int{}
	for i := range f.Package {
		p := &f.Package[i]
		if p.Name == "" {
			return nil, errors.New("a package has no name")
		}
		if dir := p.dir(); dir != "" {
			at[i] = -1 - l.addMember(dir, p.Name)
		} else {
			at[i] = l.add(Package{p.Name, p.Version, p.pin()})
		}
		byName[p.Name] = append(byName[p.Name], i)
	}
	to := func(deps []uvDependency) (packages, members []int32) {
		for _, d := range deps {
			for _, j := range byName[d.Name] {
				switch {
				case d.Version != "" && f.Package[j].Version != d.Version:
				case at[j] < 0:
					members = append(members, -1-at[j])
				default:
					packages = append(packages, at[j])
				}
			}
		}
		return packages, members
	}
	for i := range f.Package {
		p := &f.Package[i]
		deps := slices.Clone(p.Dependencies)
		for _, extra := range p.Optional { // who asks for which is not looked at
			deps = append(deps, extra...)
		}
		packages, members := to(deps)
		l.put(at[i], packages, members)
		if at[i] < 0 {
			m := &l.members[-1-at[i]]
			for _, group := range p.Dev {
				packages, members := to(group)
				m.dev, m.devUses = append(m.dev, packages...), append(m.devUses, members...)
			}
		}
	}
	return l, nil
}

// tomlError names the line of a mistake.
func tomlError(err error) error {
	var e *toml.DecodeError
	if errors.As(err, &e) {
		line, column := e.Position()
		return fmt.Errorf("line %d, column %d: %s", line, column, strings.TrimPrefix(e.Error(), "toml: "))
	}
	return err
}
