package key

import (
	"cmp"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/haz-build/haz/workspace"
)

// Difference is one line of `why --diff`.
type Difference struct {
	Sign   byte   // '~', '+', '-'
	Kind   string // "input", "env", "command", "upstream", "outputs", "incremental", "place"
	Name   string // as it is: bytes
	Detail string // "81c4b7f7 -> 02aa91fe"
}

// Sentence says the difference in words, for the reason of a miss: "input /lib/a.c changed".
func (d Difference) Sentence() string {
	verb := map[byte]string{'~': "changed", '+': "is new", '-': "is gone"}[d.Sign]
	if d.Name == "" {
		return fmt.Sprintf("%s %s", d.Kind, verb)
	}
	return fmt.Sprintf("%s %s %s", d.Kind, d.Name, verb)
}

// Diff compares a record with a derived key: inputs, environment, command, upstreams, output patterns, place; in each,
// by name. ok is false when the record cannot be read, or was made with another secret or hash function.
func (d *Deriver) Diff(record []byte, t *workspace.Task, at *Derived, secret []byte) (diffs []Difference, made Recorded, ok bool) {
	was, made, ok := readRecord(record, secret)
	if !ok || was.hash != d.o.Hash {
		return nil, made, false
	}
	now := d.components(t, at.Inputs, at.Upstreams)
	now.salt(secret)
	var ds differences
	ds.inputs(was.inputs, now.inputs)
	ds.env(was.env, now.env)
	ds.command(was, now)
	ds.upstreams(was.upstreams, now.upstreams)
	ds.outputs(was.outputs, now.outputs)
	ds.keeps(was.keeps, now.keeps)
	ds.place(was, now)
	return ds, made, true
}

type differences []Difference

func (ds *differences) add(sign byte, kind, name, detail string) {
	*ds = append(*ds, Difference{sign, kind, name, detail})
}

// merge walks two lists that are sorted by key side by side. One of the arguments of visit is nil where the other list
// alone has the item.
func merge[T any](was, now []T, compare func(a, b *T) int, visit func(was, now *T)) {
	for len(was) > 0 || len(now) > 0 {
		c := 0
		switch {
		case len(was) == 0:
			c = 1
		case len(now) == 0:
			c = -1
		default:
			c = compare(&was[0], &now[0])
		}
		switch {
		case c < 0:
			visit(&was[0], nil)
			was = was[1:]
		case c > 0:
			visit(nil, &now[0])
			now = now[1:]
		default:
			visit(&was[0], &now[0])
			was, now = was[1:], now[1:]
		}
	}
}

func (ds *differences) inputs(was, now []Input) {
	merge(was, now, func(a, b *Input) int { return strings.Compare(a.Path, b.Path) }, func(was, now *Input) {
		switch {
		case was == nil:
			ds.add('+', "input", now.Path, "")
		case now == nil:
			ds.add('-', "input", was.Path, "")
		default:
			for _, detail := range inputDetails(was, now) {
				ds.add('~', "input", now.Path, detail)
			}
		}
	})
}

// inputDetails lists what differs in one input.
func inputDetails(was, now *Input) (details []string) {
	if was.Kind != now.Kind {
		return []string{was.Kind.word() + " -> " + now.Kind.word()}
	}
	if was.LinkText != now.LinkText {
		details = append(details, "link "+quote(was.LinkText)+" -> "+quote(now.LinkText))
	}
	switch {
	case was.Target != now.Target:
		details = append(details, "leads to "+targetWord(was.Target)+" -> "+targetWord(now.Target))
	case was.Digest != now.Digest:
		details = append(details, was.Digest.Short()+" -> "+now.Digest.Short())
	}
	if was.Exec != now.Exec {
		if now.Exec {
			details = append(details, "executable now")
		} else {
			details = append(details, "not executable any more")
		}
	}
	return details
}

func (k InputKind) word() string {
	switch k {
	case LinkInput:
		return "link"
	case DirInput:
		return "empty directory"
	}
	return "file"
}

func targetWord(target byte) string {
	switch target {
	case TargetFile:
		return "a file"
	case TargetDir:
		return "a directory"
	}
	return "nothing"
}

func (ds *differences) env(was, now []variable) {
	merge(was, now, func(a, b *variable) int { return strings.Compare(a.name, b.name) }, func(was, now *variable) {
		switch {
		case was == nil:
			ds.add('+', "env", now.name, now.state())
		case now == nil:
			ds.add('-', "env", was.name, was.state())
		case was.present != now.present && now.present:
			ds.add('~', "env", now.name, "not set -> set"+now.from())
		case was.present != now.present:
			ds.add('~', "env", now.name, "set -> not set"+now.from())
		case was.sum != now.sum:
			ds.add('~', "env", now.name, "value changed"+now.from())
		}
	})
}

// state says how a variable is declared, without its value (S-13).
func (v *variable) state() string {
	if !v.present {
		return "not set" + v.from()
	}
	return "set" + v.from()
}

func (v *variable) from() string {
	if v.host {
		return " (from host)"
	}
	return " (override)"
}

func (ds *differences) command(was, now *components) {
	switch {
	case was.shell != now.shell:
		ds.add('~', "command", "", actionWord(was.shell)+" -> "+actionWord(now.shell))
	case now.shell:
		if was.argv[0] != now.argv[0] {
			ds.add('~', "command", "shell", change(was.argv[0], now.argv[0]))
		}
		if a, b := was.shellOptions(), now.shellOptions(); a != b && was.argv[0] == now.argv[0] {
			ds.add('~', "command", "shell options", change(a, b))
		}
		if a, b := was.argv[len(was.argv)-1], now.argv[len(now.argv)-1]; a != b {
			ds.add('~', "command", "script", scriptDetail(a, b))
		}
	default:
		ds.argv(was.argv, now.argv)
	}
}

// shellOptions are what a shell action has between the shell's name and its script.
func (c *components) shellOptions() string { return strings.Join(c.argv[1:len(c.argv)-1], " ") }

func actionWord(shell bool) string {
	if shell {
		return "shell script"
	}
	return "command"
}

// argv compares what is left when the common beginning and end are cut off, so that one argument more is one line.
func (ds *differences) argv(was, now []string) {
	start := 0
	for start < len(was) && start < len(now) && was[start] == now[start] {
		start++
	}
	end := 0
	for end < len(was)-start && end < len(now)-start && was[len(was)-1-end] == now[len(now)-1-end] {
		end++
	}
	name := func(i int) string { return "argv[" + strconv.Itoa(i) + "]" }
	for i := start; i < max(len(was), len(now))-end; i++ {
		switch {
		case i >= len(was)-end:
			ds.add('+', "command", name(i), quote(now[i]))
		case i >= len(now)-end:
			ds.add('-', "command", name(i), quote(was[i]))
		case was[i] != now[i]:
			ds.add('~', "command", name(i), change(was[i], now[i]))
		}
	}
}

// scriptDetail shows the first line that differs.
func scriptDetail(was, now string) string {
	a, b := strings.Split(was, "\n"), strings.Split(now, "\n")
	for i := 0; ; i++ {
		switch {
		case i == len(a):
			return fmt.Sprintf("line %d is new: %s", i+1, quote(b[i]))
		case i == len(b):
			return fmt.Sprintf("line %d is gone: %s", i+1, quote(a[i]))
		case a[i] != b[i]:
			return fmt.Sprintf("line %d: %s", i+1, change(a[i], b[i]))
		}
	}
}

func (ds *differences) upstreams(was, now []Upstream) {
	merge(was, now, func(a, b *Upstream) int { return a.Task.Compare(b.Task) }, func(was, now *Upstream) {
		switch {
		case was == nil:
			ds.add('+', "upstream", now.Task.String(), "")
			return
		case now == nil:
			ds.add('-', "upstream", was.Task.String(), "")
			return
		}
		if part, detail := now.difference(was); detail != "" {
			ds.add('~', "upstream", strings.TrimSuffix(now.Task.String()+" "+part, " "), detail)
		}
	})
}

func (ds *differences) outputs(was, now []outputPattern) {
	merge(was, now, func(a, b *outputPattern) int { return compareOutputs(*a, *b) }, func(was, now *outputPattern) {
		switch {
		case was == nil:
			ds.add('+', "outputs", now.text, "")
		case now == nil:
			ds.add('-', "outputs", was.text, "")
		}
	})
}

func (ds *differences) keeps(was, now bool) {
	switch {
	case now && !was:
		ds.add('+', "incremental", "", "true")
	case was && !now:
		ds.add('-', "incremental", "", "true")
	}
}

func (ds *differences) place(was, now *components) {
	for _, p := range []struct{ name, was, now string }{
		{"operating system", was.place.OS, now.place.OS},
		{"architecture", was.place.Arch, now.place.Arch},
		{"umask", fmt.Sprintf("%03o", was.place.Umask), fmt.Sprintf("%03o", now.place.Umask)},
		{"project directory", cmp.Or(was.dir, "/"), cmp.Or(now.dir, "/")},
	} {
		if p.was != p.now {
			ds.add('~', "place", p.name, p.was+" -> "+p.now)
		}
	}
}

func change(was, now string) string { return quote(was) + " -> " + quote(now) }

// maxQuoted is how many bytes of a text a detail shows.
const maxQuoted = 80

// quote shows a text in one line, control characters escaped, and not all of a very long one.
func quote(s string) string {
	if len(s) <= maxQuoted {
		return strconv.Quote(s)
	}
	cut := maxQuoted
	for cut > maxQuoted-utf8.UTFMax && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return strconv.Quote(s[:cut]) + "…"
}
