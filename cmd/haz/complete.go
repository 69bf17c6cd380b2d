package main

import (
	"cmp"
	"os"
	"slices"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/haz-build/haz"
	"github.com/haz-build/haz/diag"
)

// completeCommand is what the completion scripts call.
func completeCommand() *command {
	return &command{Command: cli.Command{Name: "__complete", ArgsUsage: "SHELL WORD...", Usage: "answer a completion script", Hidden: true}, do: doComplete}
}

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
	before, cur := words[:len(words)-1], words[len(words)-1]
	c := completer{line: understood(before)}
	c.load = func() *haz.Workspace {
		if dir := c.line.given["directory"]; dir != "" && v.stand(expandWord(dir, v.env)) != nil {
			return nil
		}
		w, err := v.open()
		if err != nil {
			return nil
		}
		return w
	}
	list := c.complete(cur, before)
	v.out.Print([]string{"none", "files", "dirs"}[c.paths] + "\n")
	for _, x := range list {
		if shell == "bash" {
			v.out.Print(strings.TrimPrefix(x.word, done) + "\n")
		} else {
			v.out.Print(x.word + "\t" + x.what + "\n")
		}
	}
	return nil
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
	line  *line                 // the words before it
	load  func() *haz.Workspace // nil when there is none, or it is broken
	paths int                   // 1: files complete the word as well; 2: directories
}

func (c *completer) complete(cur string, before []string) []candidate {
	opts := c.line.here()
	switch name, text, attached := strings.Cut(cur, "="); {
	case c.line.open != nil:
		return c.values(c.line.open, "", cur)
	case !c.line.ended && strings.HasPrefix(cur, "--") && attached:
		if o := find(opts, name); o != nil && o.Arg != "" {
			return c.values(o, name+"=", text)
		}
		return nil
	case !c.line.ended && strings.HasPrefix(cur, "-"):
		return c.options(opts, cur)
	}
	if c.line.passing { // words for a task
		c.paths = 1
		return nil
	}
	return c.arguments(before, cur)
}

func (c *completer) options(opts []*option, cur string) []candidate {
	var out []candidate
	for _, o := range opts {
		if _, used := c.line.given[o.Name]; used && !o.repeats || !strings.HasPrefix(o.dashed(), cur) {
			continue
		}
		word := o.dashed()
		if o.Arg != "" {
			word += "="
		}
		out = append(out, candidate{word, o.Usage})
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
	case tasks:
		out := c.references(nil, cur)
		for i := range out {
			out[i].word = prefix + out[i].word
		}
		return out
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
			out = append(append(out, p.Name), p.Aliases...)
		case tags:
			out = append(out, p.Tags...)
		case taskNames:
			for _, t := range p.Tasks {
				if !t.Internal {
					out = append(out, t.ID.Task)
				}
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}

func (c *completer) arguments(before []string, cur string) []candidate {
	var out []candidate
	add := func(word, what string) {
		if strings.HasPrefix(word, cur) {
			out = append(out, candidate{word, what})
		}
	}
	addAll := func(cs []*command) {
		for _, x := range cs {
			if !x.Hidden {
				add(x.Name, x.Usage)
			}
		}
	}
	switch command := c.line.command(); {
	case command == nil:
		addAll(c.line.commands)
	case command.subs != nil:
		addAll(command.subs)
	case command.completes == shells:
		for _, s := range []string{"bash", "zsh", "fish"} {
			add(s, "shell")
		}
	case command.completes == commandNames && len(before) == 1:
		addAll(c.line.commands)
		for _, t := range topics {
			add(t.Name, t.Brief)
		}
		add("topics", "the list of topics")
		return append(out, c.references(before, cur)...)
	case command.completes == projects && len(c.line.args) == 0:
		for _, name := range c.names(projects) {
			add(name, "project")
		}
	case command.completes == tasks:
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
	used := map[*haz.Project]bool{}
	if p := w.Bearing(); p != nil {
		for _, u := range w.W.Using(p) {
			used[u] = u != p
		}
		for _, t := range p.Tasks {
			what := cmp.Or(diag.Escape(t.Brief()), "task of this project")
			switch {
			case t.Internal:
			case strings.HasPrefix(cur, "~"):
				add("~:"+t.ID.Task, what)
			default:
				if first, _, ok := strings.Cut(t.ID.Task, ":"); !ok || w.W.Project(first) == nil { // else it is a task of that one
					add(t.ID.Task, what)
				}
			}
		}
	}
	for _, t := range w.W.Tasks {
		switch {
		case t.Internal:
		case strings.HasPrefix(cur, "^"):
			add("^:"+t.ID.Task, "every such task")
			if used[t.Project] {
				add("^uses:"+t.ID.Task, "such tasks of what this project uses")
			}
		case strings.HasPrefix(cur, "["):
			for _, tag := range t.Project.Tags {
				add("["+tag+"]:"+t.ID.Task, "every such task of projects tagged "+tag)
			}
		default:
			add(t.ID.String(), cmp.Or(diag.Escape(t.Brief()), "task"))
			for _, alias := range t.Project.Aliases {
				if cur != "" { // who types nothing yet sees each task once
					add(alias+":"+t.ID.Task, cmp.Or(diag.Escape(t.Brief()), "task"))
				}
			}
		}
	}
	return out
}
