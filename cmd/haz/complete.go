package main

import (
	"os"
	"slices"
	"strings"

	"github.com/haz-build/haz"
)

// candidate is one way to complete a word.
type candidate struct{ word, what string }

// doComplete answers a completion script: quietly, whatever happens.
func doComplete(v *invocation) error {
	if len(v.refs()) < 2 {
		return nil
	}
	shell, words := v.refs()[0], v.refs()[1:]
	done := ""
	if shell == "bash" {
		if words, done = bashWords(words[0], strings.Join(words[1:], "")); len(words) == 0 {
			return nil
		}
	}
	c := completer{load: func() *haz.Workspace {
		if dir := directoryOf(words); dir != "" && v.stand(expandWord(dir, v.env)) != nil {
			return nil
		}
		w, err := v.open()
		if err != nil {
			return nil
		}
		return w
	}}
	list := c.complete(words)
	v.out.print([]string{"none", "files", "dirs"}[c.paths] + "\n")
	for _, x := range list {
		if shell == "bash" {
			v.out.print(strings.TrimPrefix(x.word, done) + "\n")
		} else {
			v.out.print(x.word + "\t" + x.what + "\n")
		}
	}
	return nil
}

// directoryOf is the value of -C among words that may still be incomplete.
func directoryOf(words []string) string {
	for i, w := range words[:len(words)-1] {
		if dir, ok := strings.CutPrefix(w, "--directory="); ok {
			return dir
		}
		if (w == "-C" || w == "--directory") && i+2 < len(words) {
			return words[i+1]
		}
	}
	return ""
}

// expandWord does what the shell will do with a word that is not quoted.
func expandWord(word string, env func(string) string) string {
	if rest, ok := strings.CutPrefix(word, "~"); ok && (rest == "" || rest[0] == '/') {
		word = "$HOME" + rest
	}
	return os.Expand(word, env)
}

// completer finds what can stand in the place of the last word.
type completer struct {
	load  func() *haz.Workspace // nil when there is none, or it is broken
	paths int                   // 1: files complete the word as well; 2: directories
}

func (c *completer) complete(words []string) []candidate {
	cur := words[len(words)-1]
	before := words[:len(words)-1]
	var path []*command
	var pending *option // wants the next word as its value
	used := map[string]bool{}
	ended := false
	for _, w := range before {
		opts := optionsAt(path)
		switch {
		case ended:
		case pending != nil:
			pending = nil
		case w == "--":
			ended = true
		case strings.HasPrefix(w, "-"):
			name, _, attached := strings.Cut(w, "=")
			if o := find(opts, name); o != nil {
				used[o.long] = true
				if o.arg != "" && !attached {
					pending = o
				}
			}
		case len(path) == 0:
			if t := top(w); t != nil {
				path = append(path, t)
			}
		case path[len(path)-1].subs != nil:
			if s := path[len(path)-1].sub(w); s != nil {
				path = append(path, s)
			}
		}
	}
	switch {
	case pending != nil:
		return c.values(pending, "", cur)
	case !ended && strings.HasPrefix(cur, "--") && strings.Contains(cur, "="):
		name, value, _ := strings.Cut(cur, "=")
		if o := find(optionsAt(path), name); o != nil && o.arg != "" {
			return c.values(o, name+"=", value)
		}
		return nil
	case !ended && strings.HasPrefix(cur, "-"):
		return optionCandidates(optionsAt(path), used, cur)
	}
	return c.arguments(path, before, cur)
}

func optionsAt(path []*command) []option {
	if len(path) == 0 {
		return globals
	}
	return append(slices.Clone(path[len(path)-1].opts), globals...)
}

func optionCandidates(opts []option, used map[string]bool, cur string) []candidate {
	var out []candidate
	for _, o := range opts {
		if used[o.long] || !strings.HasPrefix(o.dashed(), cur) {
			continue
		}
		word := o.dashed()
		if o.arg != "" {
			word += "="
		}
		out = append(out, candidate{word, o.help})
	}
	return out
}

// values completes the value of an option; prefix is what of the word precedes it.
func (c *completer) values(o *option, prefix, cur string) []candidate {
	words := o.values
	switch o.completes {
	case files:
		c.paths = 1
	case dirs:
		c.paths = 2
	case tags, projects, taskNames:
		words = c.names(o.completes)
	}
	var out []candidate
	for _, w := range words {
		if strings.HasPrefix(w, cur) {
			out = append(out, candidate{prefix + w, o.noun})
		}
	}
	return out
}

func (c *completer) names(kind complement) []string {
	w := c.load()
	if w == nil {
		return nil
	}
	defer w.Close()
	var out []string
	for _, p := range w.W.Projects {
		switch kind {
		case projects:
			out = append(out, p.Name)
		case tags:
			out = append(out, p.Tags...)
		case taskNames:
			for _, t := range p.Tasks {
				out = append(out, t.ID.Task)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (c *completer) arguments(path []*command, before []string, cur string) []candidate {
	var out []candidate
	add := func(word, what string) {
		if strings.HasPrefix(word, cur) {
			out = append(out, candidate{word, what})
		}
	}
	switch {
	case len(path) == 0:
		for _, cmd := range commands {
			if !cmd.hidden {
				add(cmd.name, cmd.brief)
			}
		}
	case path[len(path)-1].subs != nil:
		for _, s := range path[len(path)-1].subs {
			add(s.name, s.brief)
		}
	case path[0].name == "completion":
		for _, s := range []string{"bash", "zsh", "fish"} {
			add(s, "shell")
		}
	case path[0].completes == commandNames && len(before) == 1:
		for _, cmd := range commands {
			if !cmd.hidden {
				add(cmd.name, cmd.brief)
			}
		}
		for _, t := range topics {
			add(t.name, t.brief)
		}
		add("topics", "the list of topics")
	case path[len(path)-1].completes == tasks:
		return c.references(before, cur)
	}
	return out
}

// references completes a task: names inside the project that bears the directory, project:task everywhere, and the other
// forms once their sign was typed.
func (c *completer) references(before []string, cur string) []candidate {
	w := c.load()
	if w == nil {
		return nil
	}
	defer w.Close()
	var out []candidate
	seen := map[string]bool{}
	add := func(word, what string) {
		if strings.HasPrefix(word, cur) && !seen[word] && !slices.Contains(before, word) {
			seen[word] = true
			out = append(out, candidate{word, what})
		}
	}
	if p := w.Bearing(); p != nil {
		for _, t := range p.Tasks {
			if strings.HasPrefix(cur, "~") {
				add("~:"+t.ID.Task, "task of this project")
			} else {
				add(t.ID.Task, "task of this project")
			}
		}
	}
	for _, t := range w.W.Tasks {
		switch {
		case strings.HasPrefix(cur, "^"):
			add("^:"+t.ID.Task, "every such task")
		case strings.HasPrefix(cur, "["):
			for _, tag := range t.Project.Tags {
				add("["+tag+"]:"+t.ID.Task, "every such task of projects tagged "+tag)
			}
		default:
			add(t.ID.String(), "task")
		}
	}
	return out
}
