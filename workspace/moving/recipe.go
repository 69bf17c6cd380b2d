package moving

import (
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/pattern"
	shell "github.com/haz-build/haz/workspace/script"
)

// recipe is what a task of a tool does that runs commands of a shell: how it becomes a script, and whether its result can be kept.
type recipe struct {
	name   string   // by which it is told whether the task looks at something and does nothing else
	head   []string // what comes first, in the project's folder, in the shell that runs all of it
	dir    string   // where it runs, from the project; "" is the project's folder
	make   bool     // make that folder
	checks []string // what comes then, in that shell
	tail   []string // what is done in any case when it ends
	steps  []step
	binary func(dir string) (name string, isMain bool) // what go build makes of the package in a folder
	bash   bool                                        // it is a script for bash, whatever is in it
	said   bool                                        // all outputs are said
	never  bool                                        // it is told to run each time
	why    string
}

// step is a command of a recipe, which has a shell of its own.
type step struct {
	text   string
	ignore bool   // its failure does not matter
	os     string // the only system on which it is carried out
}

// settled is what became of a recipe.
type settled struct {
	study   shell.Study
	text    string
	kept    bool
	edits   bool     // a command of it changes files, whatever it is called
	outputs []string // from the project
	asks    []string // questions to git in it
	why     string   // why it is not kept
}

// settle makes the script, and judges it. ok is false where a step is no script that can be read.
func (r *recipe) settle() (s settled, ok bool) {
	lines := slices.Clone(r.head)
	if r.dir != "" {
		if r.make {
			lines = append(lines, "mkdir -p "+diag.ShellWord(r.dir))
		}
		lines = append(lines, "cd "+diag.ShellWord(r.dir))
	}
	if len(r.tail) > 0 {
		lines = append(lines, "at_end() {", strings.Join(r.tail, "\n"), "}", "trap at_end EXIT")
	}
	lines = append(lines, r.checks...)
	kept := nothing
	for _, line := range slices.Concat(r.head, r.checks, r.tail) {
		study, ok := shell.Look(line)
		if !ok {
			return settled{}, false
		}
		e := r.effect(study)
		kept.known, kept.edits = kept.known && e.known && len(e.outputs) == 0, kept.edits || e.edits
	}
	for i, st := range r.steps {
		study, ok := shell.Look(st.text)
		if !ok {
			return settled{}, false
		}
		e := r.effect(study)
		kept.known, kept.edits = kept.known && e.known, kept.edits || e.edits
		kept.outputs = append(kept.outputs, e.outputs...)
		lines = append(lines, st.line(study, i == len(r.steps)-1))
	}
	s.text = strings.Join(lines, "\n")
	if s.study, ok = shell.Look(s.text); !ok {
		return settled{}, false
	}
	s.study.Bash = s.study.Bash || r.bash
	s.outputs, s.edits = unique(kept.outputs), kept.edits
	s.judge(r, kept)
	return s, true
}

// line is the step as a part of the script of them all: in a shell of its own where it would change the one that carries out the others.
func (st *step) line(study shell.Study, last bool) string {
	text := strings.TrimSpace(st.text)
	several := strings.Contains(text, "\n") || strings.Contains(text, "#")
	if study.Leaks && (!last || st.ignore) || st.ignore && study.Lines > 1 || st.os != "" && several {
		if several {
			text = "(\n" + text + "\n)"
		} else {
			text = "(" + text + ")"
		}
		several = false
	}
	if st.ignore {
		text += " || true"
	}
	if st.os != "" {
		text = fmt.Sprintf(`if [ "$(uname -s)" = %s ]; then %s; fi`, map[string]string{"linux": "Linux", "darwin": "Darwin", "freebsd": "FreeBSD", "netbsd": "NetBSD", "openbsd": "OpenBSD"}[st.os], text)
	}
	return text
}

// effect is what the commands of a step leave behind, together, from the project.
func (r *recipe) effect(study shell.Study) effect {
	all := nothing
	dir, moved := r.dir, 0
	for _, c := range study.Commands {
		if !c.Asked && c.Words[0].Text == "cd" {
			moved++
			if len(c.Words) != 2 || !c.Words[1].Known {
				moved++
				continue
			}
			dir = path.Join(dir, c.Words[1].Text)
			continue
		}
		e := effectOf(c.Words)
		if e.own {
			e = nothing
			if name, isMain := r.binary(path.Join("/", dir)); isMain {
				e.outputs = []string{name}
			}
		}
		if c.Asked && len(c.Words) > 0 && c.Words[0].Text == "git" {
			e = nothing // judged with the whole
		}
		all.known, all.edits = all.known && e.known, all.edits || e.edits
		all.outputs = append(all.outputs, e.outputs...)
	}
	for _, w := range study.Writes {
		all.known = all.known && w.Known
		all.outputs = append(all.outputs, w.Text)
	}
	for i, o := range all.outputs {
		switch {
		case o == "" || strings.HasPrefix(o, "/") || strings.HasPrefix(o, "~"):
			all.known = false
		default:
			all.outputs[i] = path.Join(dir, o)
			if strings.HasSuffix(o, "/") {
				all.outputs[i] += "/"
			}
		}
	}
	if moved > 1 && len(all.outputs) > 0 {
		return effect{edits: all.edits}
	}
	all.outputs = slices.DeleteFunc(all.outputs, func(o string) bool {
		p, err := pattern.Parse(strings.TrimSuffix(o, "*"))
		bad := err != nil || !p.IsLiteral() && !strings.HasSuffix(o, "/*") || strings.HasPrefix(o, "../")
		all.known = all.known && !bad
		return bad
	})
	return all
}

// judge decides whether the result is kept. What git says is no file: a substitution that asks it is asked before, by a task of its own.
func (s *settled) judge(r *recipe, e effect) {
	asked := 0
	for _, a := range s.study.Asks {
		if asksGit(a) {
			s.asks = append(s.asks, a.Text)
			for _, c := range a.Commands {
				if c.Words[0].Text == "git" {
					asked++
				}
			}
		}
	}
	s.asks = unique(s.asks)
	for _, c := range s.study.Commands {
		if c.Words[0].Text == "git" {
			asked--
		}
	}
	switch {
	case r.never:
		s.why = r.why
	case asked < 0 && !r.said:
		s.why = "it uses git, and what git knows is in no key"
	case !r.said && !e.known && (e.edits || !looks(r.name)):
	default:
		s.kept = true
	}
	if !s.kept {
		s.asks = nil
	}
}

// into puts the script into a task. options are those of the shell beside -e.
func (s *settled) into(k *task, options []string) {
	k.shell = s.text
	if s.study.Bash || slices.Contains(options, "pipefail") {
		k.shellType = "bash"
		k.shellOptions = []string{"-e"}
	}
	for _, o := range options {
		if len(o) == 1 {
			if o != "e" {
				k.shellOptions = append(k.shellOptions, "-"+o)
			}
			continue
		}
		k.shellOptions = append(k.shellOptions, "-o", o)
	}
	if len(k.shellOptions) > 0 && k.shellOptions[0] != "-e" {
		k.shellOptions = append([]string{"-e"}, k.shellOptions...)
	}
	k.noCache = !s.kept
	if !s.kept && s.why != "" {
		k.comments = append(k.comments, s.why)
	}
	for _, name := range s.study.Variables {
		if !byDefault(name) && !isSet(k.override, name) {
			k.fromHost = append(k.fromHost, name)
		}
	}
	k.fromHost = unique(k.fromHost)
}

func isSet(override [][2]string, name string) bool {
	return slices.ContainsFunc(override, func(o [2]string) bool { return o[0] == name })
}

// byDefault reports whether a variable is there without being named: what passes by default, and what haz sets.
func byDefault(name string) bool {
	switch name {
	case "PATH", "HOME", "USER", "LOGNAME", "SHELL", "TMPDIR", "TERM", "LANG", "TZ", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "no_proxy", "all_proxy", "CI":
		return true
	}
	return strings.HasPrefix(name, "LC_") || strings.HasPrefix(name, "HAZ_")
}
