package pattern

// listed makes a pattern one of files that somebody lists: it matches at most what its text says, less what lies in the folders of others.
type listed struct {
	nested map[string]bool // folders below, workspace-absolute, that are not part of it
	below  []string        // the same, sorted
}

// Listed is the pattern of the files of a project (PATH-025): all below dir, without the folders nested in it, which are sorted. By its text it
// matches more than it selects: which files of the disk are listed is not known here, and a walk asks whoever knows (tree.Files).
func Listed(dir string, nested []string) Pattern {
	l := &listed{nested: make(map[string]bool, len(nested)), below: nested}
	for _, d := range nested {
		l.nested[d] = true
	}
	p := &pattern{absolute: true, path: dir, glob: everything, listed: l}
	if p.text = Escape(dir) + "/**"; dir == "/" {
		p.text = "/**"
	}
	return Pattern{p}
}

// IsListed reports whether the pattern is one of Listed.
func (p Pattern) IsListed() bool { return p.p != nil && p.p.listed != nil }

// Nested reports whether dir is a folder that a listed pattern does not enter.
func (p Pattern) Nested(dir string) bool { return p.IsListed() && p.p.listed.nested[dir] }

// inNested reports whether path is one of the nested folders, or lies in one.
func (p Pattern) inNested(path string) bool {
	if !p.IsListed() || len(p.p.listed.nested) == 0 {
		return false
	}
	for ; len(path) > len(p.p.path) && path != "/"; path = Parent(path) {
		if p.p.listed.nested[path] {
			return true
		}
	}
	return false
}

// hasNested reports whether there is a nested folder at dir or below it.
func (p Pattern) hasNested(dir string) bool {
	if !p.IsListed() {
		return false
	}
	for _, d := range p.p.listed.below {
		if d == dir || IsBelow(d, dir) {
			return true
		}
	}
	return false
}

// lessSomething reports whether a pattern is less than its text says.
func (p Pattern) lessSomething() bool {
	return len(p.p.except) > 0 || p.p.listed != nil && len(p.p.listed.nested) > 0
}
