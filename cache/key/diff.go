package key

import (
	"cmp"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/haz-build/haz/workspace"
)

// Difference is one line of `why --diff`.
type Difference struct {
	Sign   byte   // '~', '+', '-'
	Kind   string // "input", "package", "lock file", "env", "command", "arguments", "tool", "upstream", "outputs", "incremental", "place"
	Name   string // as it is: bytes
	Detail string // "81c4b7f7 -> 02aa91fe"
}

// Sentence says the difference in words, for the reason of a miss: "input /lib/a.c changed".
func (d Difference) Sentence() string {
	verb := map[byte]string{'~': "changed", '+': "is new", '-': "is gone"}[d.Sign]
	if d.Kind == argumentsKind {
		verb = strings.Replace(verb, "is ", "are ", 1)
	}
	if d.Name == "" {
		return fmt.Sprintf("%s %s", d.Kind, verb)
	}
	return fmt.Sprintf("%s %s %s", d.Kind, d.Name, verb)
}

// Diff compares a record with what would be recorded of a derived key, line by line. ok is false when the record cannot be read, or was
// made with another secret or hash function.
func (d *Deriver) Diff(record []byte, t *workspace.Task, at *Derived, secret []byte) (diffs []Difference, made Recorded, ok bool) {
	was, ok := readRecord(record, secret, maxLines)
	if !ok || was.hash != d.o.Hash {
		return nil, was.Recorded, false
	}
	c := d.components(t, at)
	now, _ := readRecord(c.record(t.ID, Recorded{Key: at.Key, Arguments: t.Arguments}, secret, math.MaxInt), secret, math.MaxInt)
	var ds differences
	d.tellPackages(t, was.lines, now.lines)
	for _, compare := range comparisons {
		compare(&ds, was.lines, now.lines)
	}
	return ds, was.Recorded, true
}

// A comparison compares the lines of one word, or of some, and words what differs.
type comparison func(ds *differences, was, now lines)

// comparisons are made in this order. Each word of a line of components is here once.
var comparisons = [...]comparison{
	named(wordInput, 1, wording{changed: inputChanges}),
	named(wordPackage, 1, wording{alone: packageVersions, changed: packageChanges}),
	named(wordLock, 1, wording{kind: "lock file", alone: func(l line) string { return fields(l, 1) }}),
	named(wordEnv, 1, wording{alone: variableState, changed: variableChanges}),
	compareActions,
	compareTools,
	named(wordUpstream, 2, wording{changed: upstreamChanges}),
	named(wordOutput, 2, wording{kind: "outputs", name: func(l line) string { return l.at(1) }}),
	named(wordIncremental, 0, wording{alone: func(line) string { return "true" }}),
	named(wordTTY, 0, wording{alone: func(line) string { return "true" }}),
	named(wordService, 0, wording{kind: "service", alone: func(l line) string { return "port " + fields(l, 0) }}),
	named(wordExport, 1, wording{alone: func(l line) string { return fields(l, 1) }}),
	single(wordPlace, "operating system", "architecture", "project directory"),
	named(wordName, 0, wording{kind: wordPlace, name: func(line) string { return wordName }}),
	named(wordUmask, 0, wording{kind: wordPlace, name: func(line) string { return wordUmask }}),
}

// wording is how differences of named lines are told. What is not set is told plainly.
type wording struct {
	kind    string                       // the word, where that is not what people call it
	name    func(l line) string          // its names, with colons between them
	alone   func(l line) string          // detail of one that is new or gone; none
	changed func(was, now line) []change // of two with the same names; what fields there were and are
}

// change is one thing that changed of a line: a part of it, if the line is about several, and in what way.
type change struct{ part, detail string }

// named compares lines whose first names fields say which they are, by which they are sorted.
func named(word string, names int, w wording) comparison {
	kind := cmp.Or(w.kind, word)
	name := func(l line) string { return strings.Join(l[:min(names, len(l))], ":") }
	if w.name != nil {
		name = w.name
	}
	alone := func(l line) string {
		if w.alone == nil {
			return ""
		}
		return w.alone(l)
	}
	changed := w.changed
	if changed == nil {
		changed = func(was, now line) []change { return []change{{"", fields(was, names) + " -> " + fields(now, names)}} }
	}
	return func(ds *differences, was, now lines) {
		merge(was[word], now[word], names, func(was, now line) {
			switch {
			case was == nil:
				ds.add('+', kind, name(now), alone(now))
			case now == nil:
				ds.add('-', kind, name(was), alone(was))
			case !slices.Equal(was, now):
				for _, c := range changed(was, now) {
					ds.add('~', kind, strings.TrimSuffix(name(now)+" "+c.part, " "), c.detail)
				}
			}
		})
	}
}

// merge walks two lists of lines that are sorted by their first names fields side by side. One of the arguments of visit is nil where the
// other list alone has the line.
func merge(was, now []line, names int, visit func(was, now line)) {
	for len(was) > 0 || len(now) > 0 {
		c := 0
		switch {
		case len(was) == 0:
			c = 1
		case len(now) == 0:
			c = -1
		default:
			c = slices.Compare(was[0][:min(names, len(was[0]))], now[0][:min(names, len(now[0]))])
		}
		switch {
		case c < 0:
			visit(was[0], nil)
			was = was[1:]
		case c > 0:
			visit(nil, now[0])
			now = now[1:]
		default:
			visit(was[0], now[0])
			was, now = was[1:], now[1:]
		}
	}
}

// fields shows the fields of a line but for the first ones.
func fields(l line, from int) string {
	var all []string
	for i := from; i < len(l); i++ {
		all = append(all, short(l[i]))
	}
	return strings.Join(all, " ")
}

// short is the digits of a digest that are shown; any other text as it is.
func short(s string) string {
	if d, ok := parseDigest(s); ok {
		return d.Short()
	}
	return s
}

// single compares the fields of a word that has one line. Each has a name.
func single(word string, names ...string) comparison {
	return func(ds *differences, was, now lines) {
		a, b := was.only(word), now.only(word)
		for i, name := range names {
			if a.at(i) != b.at(i) {
				ds.add('~', word, name, a.at(i)+" -> "+b.at(i))
			}
		}
	}
}

// only is the line of a word that has one; nil where there is none.
func (ls lines) only(word string) line {
	if len(ls[word]) == 0 {
		return nil
	}
	return ls[word][0]
}

// texts are the first fields of the lines of a word.
func (ls lines) texts(word string) []string {
	list := make([]string, 0, len(ls[word]))
	for _, l := range ls[word] {
		list = append(list, l.at(0))
	}
	return list
}

type differences []Difference

func (ds *differences) add(sign byte, kind, name, detail string) {
	*ds = append(*ds, Difference{sign, kind, name, detail})
}
