package lockfile

import (
	"bytes"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

// readYarn reads a yarn.lock: that of version 1, which is in a format of its own, or the YAML of later ones.
func readYarn(text []byte) (*Lock, error) {
	if bytes.Contains(text, []byte("\n__metadata:")) || bytes.HasPrefix(text, []byte("__metadata:")) {
		return readBerry(text)
	}
	return readYarnOne(text)
}

// berryEntry is a package, or a member, that one or several descriptors were resolved to.
type berryEntry struct {
	Version      string            `yaml:"version"`
	Resolution   string            `yaml:"resolution"`
	Checksum     string            `yaml:"checksum"`
	Dependencies map[string]string `yaml:"dependencies"`
	Optional     map[string]string `yaml:"optionalDependencies"`
}

func readBerry(text []byte) (*Lock, error) {
	var raw map[string]yaml.Node
	if err := yaml.Unmarshal(text, &raw); err != nil {
		return nil, err
	}
	delete(raw, "__metadata")
	l := newLock(len(raw))
	at := make(map[string]int32, len(raw)) // by descriptor; of members negative
	entries := make(map[int32]*berryEntry, len(raw))
	for _, key := range slices.Sorted(maps.Keys(raw)) {
		node, e := raw[key], &berryEntry{}
		if err := node.Decode(e); err != nil {
			return nil, fmt.Errorf("%q: %w", key, err)
		}
		name, from, _ := cutLast(e.Resolution, "@")
		if i := strings.Index(e.Resolution[min(1, len(e.Resolution)):], "@"); i >= 0 { // what a patch is of has an @ as well
			name, from = e.Resolution[:i+1], e.Resolution[i+2:]
		}
		var i int32
		if dir, ok := strings.CutPrefix(from, "workspace:"); ok {
			i = -1 - l.addMember(dir, name)
		} else {
			i = l.add(Package{name, e.Version, strings.TrimSpace(e.Checksum + " " + e.Resolution)})
		}
		entries[i] = e
		for descriptor := range strings.SplitSeq(key, ",") {
			at[strings.TrimSpace(descriptor)] = i
		}
	}
	for i, e := range entries {
		packages, members := l.berryTo(at, e.Dependencies)
		more, moreMembers := l.berryTo(at, e.Optional)
		packages, members = append(packages, more...), append(members, moreMembers...)
		if i >= 0 {
			if l.deps[i] = packages; len(members) > 0 {
				l.through[i] = members
			}
			continue
		}
		m := &l.members[-1-i] // the lock file does not tell which are for development
		m.deps, m.uses = packages, members
	}
	return l, nil
}

// berryTo finds what dependencies mean. One that a resolution of the root replaced has another descriptor: it may be any of that name.
func (l *Lock) berryTo(at map[string]int32, deps map[string]string) (packages, members []int32) {
	for name, spec := range deps {
		found := false
		for _, descriptor := range [...]string{name + "@" + spec, name + "@npm:" + spec, name + "@workspace:" + spec} {
			i, ok := at[descriptor]
			switch {
			case !ok:
				continue
			case i < 0:
				members = append(members, -1-i)
			default:
				packages = append(packages, i)
			}
			found = true
			break
		}
		if found {
			continue
		}
		packages = append(packages, l.byName[name]...)
		if m, ok := l.called[name]; ok && m >= 0 {
			members = append(members, m)
		}
	}
	return packages, members
}

// readYarnOne reads version 1. It does not list members: what they need is looked up as it stands in their manifests.
func readYarnOne(text []byte) (*Lock, error) {
	l := newLock(len(text) / 256)
	at := map[string]int32{} // by descriptor: "foo@^1.0.0"
	var wants [][]string     // descriptors that packages depend on
	const (
		atTop = iota
		inEntry
		inDeps
	)
	state, current := atTop, int32(-1)
	number := 0
	for line := range strings.Lines(string(text)) {
		number++
		line = strings.TrimRight(line, "\r\n")
		body := strings.TrimLeft(line, " ")
		indent := len(line) - len(body)
		if body == "" || body[0] == '#' {
			continue
		}
		switch {
		case indent == 0:
			head, ok := strings.CutSuffix(body, ":")
			if !ok {
				return nil, fmt.Errorf("line %d: want the name of a package and a colon, found %q", number, short(body))
			}
			state, current = inEntry, l.add(Package{})
			wants = append(wants, nil)
			for descriptor := range strings.SplitSeq(head, ",") {
				d := unquote(strings.TrimSpace(descriptor))
				at[d] = current
				if name, _, ok := cutSpec(d); ok && l.Packages[current].Name == "" {
					l.Packages[current].Name = name
				}
			}
			if name := l.Packages[current].Name; name == "" {
				return nil, fmt.Errorf("line %d: %q names no package", number, short(head))
			}
		case state == atTop:
			return nil, fmt.Errorf("line %d: %q belongs to no package", number, short(body))
		case indent == 2:
			state = inEntry
			key, value, spaced := strings.Cut(body, " ")
			p := &l.Packages[current]
			switch value = unquote(value); {
			case !spaced && (key == "dependencies:" || key == "optionalDependencies:"):
				state = inDeps
			case key == "version":
				p.Version = value
			case key == "resolved" || key == "integrity":
				p.Pin = strings.TrimSpace(p.Pin + " " + value)
			}
		case indent == 4 && state == inDeps:
			name, spec, ok := strings.Cut(body, " ")
			if strings.HasPrefix(body, `"`) {
				if end := strings.Index(body[1:], `"`); end > 0 {
					name, spec, ok = body[1:end+1], strings.TrimSpace(body[end+2:]), true
				}
			}
			if !ok {
				return nil, fmt.Errorf("line %d: want a package and a range, found %q", number, short(body))
			}
			wants[current] = append(wants[current], unquote(name)+"@"+unquote(spec))
		}
	}
	if len(l.Packages) == 0 && len(bytes.TrimSpace(text)) > 0 && !bytes.Contains(text, []byte("yarn lockfile")) {
		return nil, errors.New("it is none that yarn wrote")
	}
	l.byName = make(map[string][]int32, len(l.Packages))
	for i, p := range l.Packages {
		l.byName[p.Name] = append(l.byName[p.Name], int32(i))
	}
	to := func(descriptor, name string) []int32 {
		if i, ok := at[descriptor]; ok {
			return []int32{i}
		}
		return l.byName[name]
	}
	for i, list := range wants {
		for _, descriptor := range list {
			name, _, _ := cutSpec(descriptor)
			l.deps[i] = append(l.deps[i], to(descriptor, name)...)
		}
	}
	l.needs = func([]Member) resolver {
		return func(n Need) []int32 { return to(n.Name+"@"+n.Spec, n.Name) }
	}
	return l, nil
}

// cutSpec cuts "@scope/name@spec".
func cutSpec(descriptor string) (name, spec string, ok bool) {
	i := strings.Index(descriptor[min(1, len(descriptor)):], "@")
	if i < 0 {
		return descriptor, "", false
	}
	return descriptor[:i+1], descriptor[i+2:], true
}

func unquote(s string) string {
	if n := len(s); n > 1 && s[0] == '"' && s[n-1] == '"' {
		return s[1 : n-1]
	}
	return s
}

// short is the beginning of a text, for a message.
func short(s string) string { return s[:min(len(s), 60)] }
