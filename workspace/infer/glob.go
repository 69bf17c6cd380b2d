package infer

import (
	"errors"
	"fmt"
	"path"
	"strings"

	"github.com/haz-build/haz/pattern"
)

// Glob says which folders are members of a workspace, as manifests do: "packages/*".
type Glob struct {
	alternatives []pattern.Pattern // of the file in a folder
	hidden       bool
}

// alternativesMax is to how many globs one with braces may come.
const alternativesMax = 1000

// NewGlob reads a glob for folders below base, workspace-absolute, that hold the file. A "./" in front and a "/" behind change nothing.
// hidden says that wildcards match names with a dot in front as well. Errors are half sentences without the text.
func NewGlob(base, text, file string, hidden bool) (Glob, error) {
	g := Glob{hidden: hidden}
	if len(text) > pattern.MaxPattern {
		return g, fmt.Errorf("it is longer than %d bytes", pattern.MaxPattern)
	}
	if at := strings.IndexByte(text, '('); at > 0 && strings.IndexByte("!@?+*", text[at-1]) >= 0 {
		return g, fmt.Errorf("%s...) is a form of glob that is not known here", text[at-1:at+1])
	}
	list, err := braces(strings.TrimLeft(text, "/"), alternativesMax)
	if err != nil {
		return g, err
	}
	for _, one := range list {
		at := base
		for one = path.Join(one, file); strings.HasPrefix(one, "../"); one = one[len("../"):] {
			if at == "/" {
				return g, errors.New("it leads out of the workspace")
			}
			at = path.Dir(at)
		}
		g.hidden = g.hidden || spellsDot(one)
		p, err := pattern.Parse(one)
		if err != nil {
			var bad *pattern.SyntaxError
			if errors.As(err, &bad) {
				err = errors.New(bad.Reason)
			}
			return g, err
		}
		g.alternatives = append(g.alternatives, p.Anchor(at))
	}
	return g, nil
}

// spellsDot reports whether a segment with wildcards begins with a dot.
func spellsDot(glob string) bool {
	for segment := range strings.SplitSeq(glob, "/") {
		if segment[0] == '.' && strings.ContainsAny(segment, "*?[") {
			return true
		}
	}
	return false
}

// Match reports whether the file at a path is one that the glob names, be it hidden or not.
func (g Glob) Match(file string) bool {
	for _, p := range g.alternatives {
		if p.Match(file) {
			return true
		}
	}
	return false
}

// braces writes a glob without alternatives, which may be nested: "a/{b,c{d,e}}" is three. One pair without a comma is itself.
func braces(text string, most int) ([]string, error) {
	from, to, commas := outerBraces(text)
	if from < 0 {
		return []string{text}, nil
	}
	if to < 0 {
		return nil, errors.New("a brace is not closed")
	}
	behind, err := braces(text[to+1:], most)
	if err != nil {
		return nil, err
	}
	var out []string
	for i, start := 0, from+1; i <= len(commas); i++ {
		end := to
		if i < len(commas) {
			end = commas[i]
		}
		inner, err := braces(text[start:end], most)
		if err != nil {
			return nil, err
		}
		if len(out)+len(inner)*len(behind) > most {
			return nil, fmt.Errorf("its braces come to more than %d globs", alternativesMax)
		}
		for _, one := range inner {
			for _, rest := range behind {
				out = append(out, text[:from]+one+rest)
			}
		}
		start = end + 1
	}
	return out, nil
}

// outerBraces finds the first pair that has a comma of its own; from is -1 when there is none, to is -1 when it is not closed.
func outerBraces(text string) (from, to int, commas []int) {
	for from = 0; from < len(text); from++ {
		if text[from] != '{' {
			continue
		}
		depth := 0
		commas = nil
		for to = from; to < len(text); to++ {
			switch text[to] {
			case '{':
				depth++
			case '}':
				depth--
			case ',':
				if depth == 1 {
					commas = append(commas, to)
				}
			}
			if depth == 0 {
				return from, to, commas
			}
		}
		return from, -1, nil
	}
	return -1, -1, nil
}
