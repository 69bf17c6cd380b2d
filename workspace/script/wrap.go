package script

import (
	"path"
	"strings"
)

// A wrapper is a program that starts another one, which stands among its words (CACHE-036).
type wrapper struct {
	// with are the options that take the next word, or the rest of their own, in one string: one letter each.
	with string
	// long are those of more than one letter that take the next word when they have no "=".
	long []string
	// assigns says that NAME=text may stand before the program.
	assigns bool
	// skip is how many words stand between the options and the program.
	skip int
	// asks are the options with which nothing is started, but it is asked where the words lead: their answer hangs on it too.
	asks string
	// split is the option whose word is a text that is split into words.
	split string
	// dash says that a lone "-" is an option.
	dash bool
	// functions says that what is started may be a function.
	functions bool
	// script says that, behind the words that are skipped, -c and a text for a shell may stand in the place of the program.
	script bool
}

var wrappers = map[string]*wrapper{
	"builtin": {}, "command": {asks: "vV"}, "exec": {with: "a"}, "noglob": {functions: true}, "nocorrect": {functions: true}, // of shells
	"type": {asks: always}, "which": {asks: always}, "hash": {asks: always, with: "p"},
	"env":     {with: "uC", long: []string{"unset", "chdir"}, split: "S", assigns: true, dash: true},
	"nice":    {with: "n", long: []string{"adjustment"}},
	"ionice":  {with: "cn", long: []string{"class", "classdata"}},
	"nohup":   {},
	"setsid":  {},
	"stdbuf":  {with: "ioe", long: []string{"input", "output", "error"}},
	"time":    {with: "fo", long: []string{"format", "output"}},
	"timeout": {with: "ks", long: []string{"kill-after", "signal"}, skip: 1},
	"sudo": {with: "CDghpRrTtUu", assigns: true,
		long: []string{"close-from", "chdir", "group", "host", "prompt", "chroot", "role", "command-timeout", "type", "other-user", "user"}},
	"doas":   {with: "Cu"},
	"ccache": {}, "sccache": {}, "distcc": {}, "chronic": {}, "unbuffer": {}, "dbus-run-session": {long: []string{"config-file", "dbus-daemon"}},
	"flock":    {with: "wE", long: []string{"timeout", "wait", "conflict-exit-code"}, skip: 1, script: true},
	"taskset":  {skip: 1},
	"chrt":     {with: "TPD", long: []string{"sched-runtime", "sched-period", "sched-deadline"}, skip: 1},
	"fakeroot": {with: "lsib", long: []string{"lib", "faked"}},
	"xvfb-run": {with: "efnpsw", long: []string{"error-file", "auth-file", "server-num", "xauth-protocol", "server-args", "wait"}},
	"strace":   {with: "abeEIoOpPsSuUX", long: []string{"trace", "output", "env", "attach", "user", "string-limit"}},
	"xargs":    {with: "adEILnPs", long: []string{"arg-file", "delimiter", "max-lines", "max-args", "max-procs", "max-chars", "process-slot-var"}},
}

// always: the words are never started, whatever the options.
const always = "*"

// start takes note of the programs that a command starts; asArgv says that no shell reads it, so that nothing is a builtin or a
// function.
func (f *finder) start(words []word, asArgv bool) {
	functions := f.functions
	if asArgv {
		functions = nil
	}
	for len(words) > 0 && words[0].known && words[0].text != "" {
		name := words[0].text
		if functions[name] {
			return
		}
		builtin, base := !asArgv && builtins[name], name
		if !builtin {
			f.programs = append(f.programs, name)
			if strings.Contains(name, "/") {
				base = path.Base(name)
			}
		}
		if words = words[1:]; len(words) == 0 && !builtin {
			return // it has nothing to start
		}
		switch w := wrappers[base]; {
		case builtin && f.builtin(name, words):
			return
		case base == "find":
			f.find(words)
			return
		case dialects[base] != nil:
			f.ofShell(base, words)
			return
		case w == nil:
			return
		default:
			words, asArgv = f.unwrap(w, words, !builtin), !builtin || name == "exec"
			if !w.functions {
				functions = nil // `cc() { command cc -g "$@"; }` starts cc
			}
		}
	}
}

// builtin takes note of what a builtin is about that is no wrapper, and reports whether it is one of those.
func (f *finder) builtin(name string, words []word) bool {
	switch name {
	case "shift", "getopts":
		f.uses()
	case "eval":
		f.inside(joined(words))
	case "alias": // what it means is started where its name stands
		for _, t := range words {
			if _, text, ok := strings.Cut(t.text, "="); ok {
				f.inside(word{text, t.known})
			}
		}
	case "trap":
		if len(words) > 1 && words[0].text != "-" {
			f.inside(words[0])
		}
	default:
		return false
	}
	return true
}

// uses takes note that the arguments of the script are used; those of a function are its own.
func (f *finder) uses() { f.arguments = f.arguments || f.inFunction == 0 }

// unwrap is what a wrapper starts, of the words behind its name; nil when that can not be told.
func (f *finder) unwrap(w *wrapper, words []word, asArgv bool) []word {
	asked := w.asks == always
	for len(words) > 0 {
		t := words[0]
		if !t.known && w.skip > 0 {
			break // a duration, most likely
		}
		if !t.known {
			return nil
		}
		if t.text == "--" {
			words = words[1:]
			break
		}
		if !strings.HasPrefix(t.text, "-") || t.text == "-" && !w.dash {
			break
		}
		words = words[1:]
		takes := false
		if long, ok := strings.CutPrefix(t.text, "--"); ok {
			for _, l := range w.long {
				takes = takes || l == long
			}
		} else {
			for i := 1; i < len(t.text); i++ {
				c := t.text[i]
				asked = asked || w.asks != "" && strings.IndexByte(w.asks, c) >= 0
				if w.split != "" && c == w.split[0] {
					return f.splitWord(w, t.text[i+1:], words)
				}
				if strings.IndexByte(w.with, c) >= 0 {
					takes = i == len(t.text)-1
					break
				}
			}
		}
		if takes {
			words = words[min(1, len(words)):]
		}
	}
	for w.assigns && len(words) > 0 && words[0].known && isAssignment(words[0].text) {
		words = words[1:]
	}
	words = words[min(w.skip, len(words)):]
	if w.script && len(words) > 1 && (words[0].text == "-c" || words[0].text == "--command") {
		f.nested("sh", words[1])
		return nil
	}
	if !asked {
		return words
	}
	for _, t := range words {
		if t.known && t.text != "" && !f.functions[t.text] && (asArgv || !builtins[t.text]) {
			f.asked = append(f.asked, t.text)
		}
	}
	return nil
}

// splitWord is what `env -S "node --flag"` starts.
func (f *finder) splitWord(w *wrapper, text string, rest []word) []word {
	if text == "" {
		if len(rest) == 0 || !rest[0].known {
			return nil
		}
		text, rest = rest[0].text, rest[1:]
	}
	if strings.ContainsAny(text, "\\'\"$") {
		return nil
	}
	var words []word
	for _, t := range strings.Fields(text) {
		words = append(words, word{t, true})
	}
	return f.unwrap(w, append(words, rest...), true)
}

func isAssignment(word string) bool {
	name, _, found := strings.Cut(word, "=")
	return found && name != "" && strings.Trim(name, nameCharacters) == ""
}

const nameCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

// find takes note of what `find -exec` starts.
func (f *finder) find(words []word) {
	for i, t := range words[:max(len(words)-1, 0)] {
		switch t.text {
		case "-exec", "-execdir", "-ok", "-okdir":
			rest := words[i+1:]
			for j, end := range rest {
				if end.text == ";" || end.text == "+" {
					rest = rest[:j]
					break
				}
			}
			f.start(rest, true)
		}
	}
}

// ofShell takes note of what a shell starts that has its script as a text: `sh -ec "make all"`.
func (f *finder) ofShell(name string, words []word) {
	if name == "busybox" { // an applet of it
		if len(words) == 0 || dialects[words[0].text] == nil {
			return
		}
		words = words[1:]
	}
	for len(words) > 1 && words[0].known && len(words[0].text) > 1 && strings.IndexByte("-+", words[0].text[0]) >= 0 {
		t := words[0].text
		words = words[1:]
		switch {
		case strings.HasPrefix(t, "--"):
			if t == "--rcfile" || t == "--init-file" {
				words = words[1:]
			}
		case t[0] == '-' && strings.Contains(t, "c"):
			for len(words) > 1 && words[0].known && len(words[0].text) > 1 && strings.IndexByte("-+", words[0].text[0]) >= 0 {
				words = words[1:] // options may stand behind -c
			}
			f.nested(name, words[0])
			return
		case strings.HasSuffix(t, "o"), strings.HasSuffix(t, "O"):
			words = words[1:]
		}
	}
}

// nested takes note of what a script of its own in the script starts.
func (f *finder) nested(shell string, text word) {
	if text.known {
		o := read(shell, text.text, f.depth+1)
		f.programs, f.asked = append(f.programs, o.Programs...), append(f.asked, o.Asked...)
	}
}

// inside takes note of what a text says that the same shell reads as a part of the script.
func (f *finder) inside(text word) {
	if !text.known || f.depth >= maxNested || tooMuch(text.text) {
		return
	}
	file, err := parse(f.lang, text.text)
	if err != nil {
		return
	}
	f.depth++
	f.script(file)
	f.depth--
}

// joined is what eval makes of its words.
func joined(words []word) word {
	texts := make([]string, len(words))
	for i, t := range words {
		if !t.known {
			return word{}
		}
		texts[i] = t.text
	}
	return word{strings.Join(texts, " "), true}
}

// builtins are what shells do themselves. Not each of them has them all; a program of such a name is then not found.
var builtins = set(". : [ [[ alias autoload bg bind break builtin caller cd chdir command compgen complete compopt continue coproc declare dirs disown echo emulate " +
	"enable eval exec exit export false fc fg float functions getopts hash help history integer jobs kill let local logout mapfile noglob nocorrect popd print printf " +
	"pushd pwd read readarray readonly rehash return set setopt shift shopt source suspend test times trap true type typeset ulimit umask unalias unfunction " +
	"unhash unset unsetopt wait whence where zmodload")

func set(text string) map[string]bool {
	s := map[string]bool{}
	for _, w := range strings.Fields(text) {
		s[w] = true
	}
	return s
}
