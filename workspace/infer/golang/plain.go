package golang

import (
	"strings"

	"golang.org/x/mod/modfile"
	"golang.org/x/mod/module"
)

// plain reads a go.mod that is written as `go mod tidy` leaves it: nothing quoted, each version in full, nothing wrong. It gives nil for
// any other, which the library reads: what that says counts, and a fuzz test holds this against it. The library keeps the whole file for
// those who edit it, which takes some eight times as long; there may be thousands.
func plain(text string) *manifest {
	l := lines{text: text, m: &manifest{}, words: make([]string, 0, 8)}
	for block := ""; ; {
		words, ok := l.next()
		switch {
		case !ok:
			return nil
		case words == nil: // the end
			if block != "" || l.m.module == "" {
				return nil
			}
			return l.m
		case block != "" && len(words) == 1 && words[0] == ")":
			block = ""
		case block != "":
			if !l.directive(block, words) {
				return nil
			}
		case len(words) == 2 && words[1] == "(":
			if block = words[0]; !blocks[block] {
				return nil
			}
		case !l.directive(words[0], words[1:]):
			return nil
		}
	}
}

// blocks are directives that stand in blocks by custom.
var blocks = map[string]bool{"require": true, "exclude": true, "replace": true, "tool": true, "ignore": true, "godebug": true}

// lines are those of a go.mod while it is read.
type lines struct {
	text  string
	at    int
	words []string // of the last line
	line  span     // where they stand
	given struct{ golang, toolchain bool }
	m     *manifest
}

// wordByte reports whether a byte is one of a word that is written plainly. In a word "//" begins a comment, and "/*" is wrong.
var wordByte = func() (is [256]bool) {
	for c := '!'; c <= '~'; c++ {
		is[c] = !strings.ContainsRune("()[]{},\"'`\\", c)
	}
	return is
}()

// next gives the words of the next line that has some, valid until it is called again; nil at the end. A parenthesis is a word. ok is
// false where a line is not plain.
func (l *lines) next() (words []string, ok bool) {
	l.words = l.words[:0]
	for l.at < len(l.text) {
		start := l.at
		switch c := l.text[l.at]; {
		case c == ' ' || c == '\t' || c == '\r':
			l.at++
			continue
		case c == '\n':
			l.at++
			if len(l.words) > 0 {
				return l.words, true
			}
			continue
		case strings.HasPrefix(l.text[l.at:], "//"):
			if end := strings.IndexByte(l.text[l.at:], '\n'); end >= 0 {
				l.at += end
			} else {
				l.at = len(l.text)
			}
			continue
		case c == '(' || c == ')':
			l.at++
		default:
			for l.at < len(l.text) && wordByte[l.text[l.at]] {
				if l.text[l.at] == '/' && l.at+1 < len(l.text) && (l.text[l.at+1] == '/' || l.text[l.at+1] == '*') {
					return nil, false
				}
				l.at++
			}
			if l.at == start {
				return nil, false
			}
		}
		if len(l.words) == 0 {
			l.line.start = start
		}
		l.words, l.line.end = append(l.words, l.text[start:l.at]), l.at
	}
	if len(l.words) > 0 {
		return l.words, true
	}
	return nil, true
}

// directive takes one, and reports whether it is as it should be.
func (l *lines) directive(verb string, args []string) bool {
	if len(args) == 0 {
		return false
	}
	for _, a := range args {
		if a == "(" || a == ")" {
			return false
		}
	}
	switch verb {
	case "require":
		if len(args) != 2 || !isVersion(args[0], args[1]) {
			return false
		}
		if l.m.requires == nil { // most lines that come are of this kind
			l.m.requires = make([]required, 0, 1+strings.Count(l.text[l.at:], "\n"))
		}
		l.m.requires = append(l.m.requires, required{args[0], args[1], l.line})
	case "exclude":
		return len(args) == 2 && isVersion(args[0], args[1])
	case "replace":
		return l.replace(args)
	case "module":
		if len(args) != 1 || l.m.module != "" {
			return false
		}
		l.m.module, l.m.at = args[0], l.line
	case "go":
		if len(args) != 1 || l.given.golang || !modfile.GoVersionRE.MatchString(args[0]) {
			return false
		}
		l.given.golang, l.m.golang = true, args[0]
	case "toolchain":
		if len(args) != 1 || l.given.toolchain || !modfile.ToolchainRE.MatchString(args[0]) {
			return false
		}
		l.given.toolchain = true
	case "tool":
		return len(args) == 1
	case "godebug":
		return len(args) == 1 && strings.Contains(args[0], "=")
	case "ignore":
		l.m.ignores = append(l.m.ignores, args[0])
		return len(args) == 1
	default:
		return false
	}
	return true
}

func (l *lines) replace(args []string) bool {
	r := replaced{old: args[0]}
	if len(args) > 1 && args[1] != "=>" {
		if !isVersion(r.old, args[1]) {
			return false
		}
		r.oldVersion, args = args[1], args[1:]
	} else if _, _, ok := module.SplitPathVersion(r.old); !ok {
		return false
	}
	if len(args) < 3 || len(args) > 4 || args[1] != "=>" {
		return false
	}
	r.new = args[2]
	if len(args) == 4 {
		r.newVersion = args[3]
		if module.CanonicalVersion(r.newVersion) != r.newVersion {
			return false
		}
	}
	if modfile.IsDirectoryPath(r.new) != (r.newVersion == "") {
		return false
	}
	l.m.replaces = append(l.m.replaces, r)
	return true
}

// isVersion reports whether a module can have that version, in full.
func isVersion(path, version string) bool {
	_, major, ok := module.SplitPathVersion(path)
	return ok && module.CanonicalVersion(version) == version && module.CheckPathMajor(version, major) == nil
}
