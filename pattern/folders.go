package pattern

import (
	"slices"
	"strings"
)

// folders are what a pattern of Folders is: folders, and all that lies in them.
type folders struct {
	at     map[string]bool
	sorted []string
}

// Folders is the pattern of folders and of all that lies in them, what is called ".git" too; they are sorted and workspace-absolute. It is made to be an exception
// (Except): what it costs to ask about a path depends on how deep that lies, and not on how many folders there are.
func Folders(dirs []string) Pattern {
	f := &folders{at: make(map[string]bool, len(dirs)), sorted: dirs}
	escaped := make([]string, len(dirs))
	for i, d := range dirs {
		f.at[d] = true
		escaped[i] = Escape(d)
	}
	return Pattern{&pattern{text: "{" + strings.Join(escaped, ",") + "}/**", absolute: true, path: "/", glob: everything, folders: f}}
}

// has reports whether path is one of the folders, or lies in one.
func (f *folders) has(path string) bool {
	for ; len(path) > 1; path = Parent(path) {
		if f.at[path] {
			return true
		}
	}
	return false
}

// below reports whether one of the folders lies below dir.
func (f *folders) below(dir string) bool {
	inside := strings.TrimSuffix(dir, "/") + "/"
	i, _ := slices.BinarySearch(f.sorted, inside)
	return i < len(f.sorted) && strings.HasPrefix(f.sorted[i], inside)
}
