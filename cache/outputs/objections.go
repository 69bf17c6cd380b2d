package outputs

import (
	"fmt"
	"sort"
	"strings"

	"github.com/haz-build/haz/pattern"
)

// objection is something that speaks against storing: the first sentence of its kind, and how many there are.
type objection struct {
	first string
	count int
}

func (o *objection) add(sentence string) {
	if o.count == 0 {
		o.first = sentence
	}
	o.count++
}

func (o *objection) String() string {
	if o.count < 2 {
		return o.first
	}
	return fmt.Sprintf("%s (and %d more)", o.first, o.count-1)
}

func (c *collector) hidden(sentences []string) {
	for _, s := range sentences {
		c.unseen.add(s)
	}
}

// notStorable is the reason why the outputs must not be stored, "" when there is none. One is enough for people.
func (c *collector) notStorable() (reason, hint string, quiet bool) {
	for _, o := range []*objection{&c.oddName, &c.unseen, &c.unsteady, &c.nested, &c.definition} {
		if o.count > 0 {
			return o.String(), "", false
		}
	}
	switch {
	case c.special.count > 0:
		return c.special.String(), "let the task remove it, or narrow the output pattern so that it does not match", false
	case c.setBits.count > 0:
		return c.setBits.String(), "let the task take them away (chmod), or narrow the output pattern so that it does not match", false
	case c.git.count > 0:
		return c.git.String(), "", false
	case c.through.count > 0:
		return c.through.String(), "declare what the link leads to as an output, not the link", false
	}
	if reason, hint = c.bystanders.note(); reason != "" {
		return reason, hint, false
	}
	if reason, hint = c.sources.note(); reason != "" {
		return reason, hint, false
	}
	return c.edited.String(), "", true
}

// sources are new files that an input pattern of the task matches as well: the task may have made them, or somebody who saved
// a new source while it ran.
type sources struct {
	count         int
	pattern, path string // of the first
}

func (s *sources) add(pattern, path string) {
	if s.count == 0 {
		s.pattern, s.path = pattern, path
	}
	s.count++
}

func (s *sources) note() (reason, hint string) {
	if s.count == 0 {
		return "", ""
	}
	subject := s.path + " is"
	if s.count > 1 {
		subject = fmt.Sprintf("%s and %d more are", s.path, s.count-1)
	}
	return fmt.Sprintf("%s new among the inputs, and whether the task made it or somebody saved it meanwhile cannot be told", subject),
		"where nobody edits what " + s.pattern + " matches, because the task makes all of it, list it in exclude"
}

// bystanders are matches that this task did not make. All of them are one note.
type bystanders struct {
	count                int
	pattern, path, maker string // of the first
	literal              bool   // the first is a literal's
	dirs                 map[string]bool
}

func (b *bystanders) add(from, path, maker string, literal bool) {
	if b.count == 0 {
		b.pattern, b.path, b.maker, b.literal = from, path, maker, literal
		b.dirs = map[string]bool{}
	}
	b.count++
	b.dirs[pattern.Parent(path)] = true
}

func (b *bystanders) note() (reason, hint string) {
	if b.count == 0 {
		return "", ""
	}
	switch {
	case b.literal && b.maker == "":
		return fmt.Sprintf("%s is a declared output but was there before, and the task did not write it", b.path),
			"if the task reads it, list it in inputs as well; otherwise delete it once, then run again"
	case b.literal:
		return fmt.Sprintf("%s is a declared output but was made by %s", b.path, b.maker),
			fmt.Sprintf("narrow the output patterns of %s so that they do not match it", b.maker)
	}
	subject, matches, was := b.path, "matches", "was"
	if b.count > 1 {
		subject = fmt.Sprintf("%s and %d more", b.path, b.count-1)
		matches, was = "match", "were"
	}
	if b.maker != "" {
		return fmt.Sprintf("%s %s %s but %s made by %s", subject, matches, b.pattern, was, b.maker),
			fmt.Sprintf("narrow %s so that it does not match what %s makes", b.pattern, b.maker)
	}
	return fmt.Sprintf("%s %s %s but %s there before", subject, matches, b.pattern, was),
		fmt.Sprintf("what earlier runs left in %s: delete it once, then run again; what is yours: narrow %s so that it does not match", b.where(), b.pattern)
}

// maxDirs is how many folders a hint names.
const maxDirs = 3

// where names the topmost folders that bystanders lie in.
func (b *bystanders) where() string {
	all := make([]string, 0, len(b.dirs))
	for dir := range b.dirs {
		all = append(all, dir)
	}
	sort.Strings(all)
	var dirs []string
	for _, dir := range all {
		if !b.below(dir) {
			dirs = append(dirs, dir)
		}
	}
	if n := len(dirs) - maxDirs; n > 0 {
		dirs = append(dirs[:maxDirs], fmt.Sprintf("%d more folders", n))
	}
	if len(dirs) == 1 {
		return dirs[0]
	}
	return strings.Join(dirs[:len(dirs)-1], ", ") + " and " + dirs[len(dirs)-1]
}

// below reports whether dir lies below another folder with bystanders.
func (b *bystanders) below(dir string) bool {
	for at := len(dir) - 1; at > 0; at-- {
		if dir[at] == '/' && b.dirs[dir[:at]] {
			return true
		}
	}
	return b.dirs["/"] && dir != "/"
}
