package key

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/haz-build/haz/workspace"
)

// inputChanges lists what differs in one input: path, then "dir", or "link", its text and what it leads to, or what a file is.
func inputChanges(was, now line) (cs []change) {
	a, b := inputOf(was), inputOf(now)
	add := func(detail string) { cs = append(cs, change{detail: detail}) }
	if a.kind != b.kind {
		return []change{{detail: a.kind + " -> " + b.kind}}
	}
	if a.link != b.link {
		add("link " + quoted(a.link, b.link))
	}
	switch {
	case a.leads != b.leads:
		add("leads to " + a.leads + " -> " + b.leads)
	case a.digest != b.digest:
		add(short(a.digest) + " -> " + short(b.digest))
	}
	if a.exec != b.exec {
		add(choose(b.exec, "executable now", "not executable any more"))
	}
	return cs
}

// input is the fields of an input in words.
type input struct {
	kind, link, leads, digest string
	exec                      bool
}

func inputOf(l line) input {
	in, rest := input{kind: "file"}, l[min(1, len(l)):]
	switch rest.at(0) {
	case wordDir:
		return input{kind: "empty directory"}
	case wordLink:
		in, rest = input{kind: "link", link: rest.at(1), leads: "a file"}, rest[min(2, len(rest)):]
	}
	switch rest.at(0) {
	case wordDir:
		in.leads = "a directory"
	case wordAbsent:
		in.leads = "nothing"
	default:
		in.exec, in.digest = rest.at(0) == wordExecutable, rest.at(1)
	}
	return in
}

// The fields of a variable in a record: name, where it is from, then a salted digest, or that it is absent. Its value is not told (S-13).

func variableState(l line) string {
	return choose(l.at(2) == wordAbsent, "not set", "set") + variableFrom(l)
}

func variableFrom(l line) string {
	return choose(l.at(1) == wordHost, " (from host)", choose(l.at(1) == wordFile, " (from a file)", " (override)"))
}

func variableChanges(was, now line) []change {
	switch gone := now.at(2) == wordAbsent; {
	case gone != (was.at(2) == wordAbsent):
		return []change{{detail: choose(gone, "set -> not set", "not set -> set") + variableFrom(now)}}
	case was.at(2) != now.at(2):
		return []change{{detail: "value changed" + variableFrom(now)}}
	}
	return nil
}

// upstreamChanges says what is new about an upstream; nothing when nothing that counts is. The fields in a record are project, task, what
// counts of it, what its own digest is of, that, and the closure's; then, where what it prints counts, the word streams and their digest.
func upstreamChanges(was, now line) []change {
	const streams = 7
	cs := upstreamMade(was, now)
	switch a, b := was.at(streams), now.at(streams); {
	case (a == "") != (b == ""):
		cs = append(cs, change{"", choose(b == "", "streams: true -> streams: false", "streams: false -> streams: true")})
	case a != b:
		cs = append(cs, change{"streams", short(a) + " -> " + short(b)})
	}
	return cs
}

// upstreamMade says what is new about what an upstream made.
func upstreamMade(was, now line) []change {
	const counts, of, own, closure = 2, 3, 4, 5
	narrow, made := now.at(counts) == wordOutputs, now.at(of) == wordOutputs
	digests := func(i int) string { return short(was.at(i)) + " -> " + short(now.at(i)) }
	switch {
	case was.at(counts) != now.at(counts):
		return []change{{"", choose(narrow, "closure: true -> closure: false", "closure: false -> closure: true")}}
	case was.at(of) != now.at(of):
		return []change{{"", choose(made, "declares outputs now", "declares no outputs any more")}}
	case made && was.at(own) != now.at(own):
		return []change{{"outputs", digests(own)}}
	case narrow:
		return nil
	case was.at(own) != now.at(own):
		return []change{{"key", digests(own)}}
	case was.at(closure) != now.at(closure):
		return []change{{"closure", digests(closure)}}
	}
	return nil
}

// argumentsKind is the kind of the difference that the arguments of two runs are.
const argumentsKind = "arguments"

// compareActions compares what is carried out, and with what arguments. Where these are others, the rest is compared as it would be without
// any, so that each difference is told once.
func compareActions(ds *differences, was, now lines) {
	given, gives := was.texts(wordArgument), now.texts(wordArgument)
	if slices.Equal(given, gives) || sameAction(was, now) {
		compareWritten(ds, was, now)
		return
	}
	switch a, b := quoteAll(given), quoteAll(gives); {
	case len(given) == 0:
		ds.add('+', argumentsKind, "", b)
	case len(gives) == 0:
		ds.add('-', argumentsKind, "", a)
	default:
		ds.add('~', argumentsKind, "", a+" -> "+b)
	}
	compareWritten(ds, was.withoutArguments(given), now.withoutArguments(gives))
}

// sameAction reports whether the same is carried out, whatever of it is arguments.
func sameAction(was, now lines) bool {
	for _, word := range [...]string{wordCommand, wordShell, wordOption, wordScript} {
		if !slices.Equal(was.texts(word), now.texts(word)) {
			return false
		}
	}
	return true
}

// withoutArguments are the lines of an action as if the run had given it none of its arguments.
func (ls lines) withoutArguments(args []string) lines {
	bare := lines{wordShell: ls[wordShell], wordOption: ls[wordOption]}
	if all := ls[wordCommand]; len(all) >= len(args) {
		bare[wordCommand] = all[:len(all)-len(args)]
	}
	if len(ls[wordScript]) > 0 {
		script := strings.Join(ls.texts(wordScript), "\n")
		for l := range strings.SplitSeq(workspace.WithoutArguments(script, args), "\n") {
			bare[wordScript] = append(bare[wordScript], line{l})
		}
	}
	return bare
}

// compareWritten compares the words of a command, or shell, options and script.
func compareWritten(ds *differences, was, now lines) {
	kind := func(ls lines) string { return choose(len(ls[wordShell]) > 0, "shell script", "command") }
	texts := func(word string) (a, b []string) { return was.texts(word), now.texts(word) }
	if a, b := kind(was), kind(now); a != b {
		ds.add('~', "command", "", a+" -> "+b)
		return
	}
	a, b := texts(wordShell)
	if !slices.Equal(a, b) {
		ds.add('~', "command", "shell", quoted(a[0], b[0]))
	} else if a, b := texts(wordOption); !slices.Equal(a, b) {
		ds.add('~', "command", "shell options", quoted(strings.Join(a, " "), strings.Join(b, " ")))
	}
	if a, b := texts(wordScript); !slices.Equal(a, b) {
		ds.add('~', "command", "script", scriptDetail(a, b))
	}
	ds.argv(texts(wordCommand))
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
			ds.add('~', "command", name(i), quoted(was[i], now[i]))
		}
	}
}

// scriptDetail shows the first line that differs.
func scriptDetail(a, b []string) string {
	for i := 0; ; i++ {
		switch {
		case i == len(a):
			return fmt.Sprintf("line %d is new: %s", i+1, quote(b[i]))
		case i == len(b):
			return fmt.Sprintf("line %d is gone: %s", i+1, quote(a[i]))
		case a[i] != b[i]:
			return fmt.Sprintf("line %d: %s", i+1, quoted(a[i], b[i]))
		}
	}
}

// quoteAll shows texts one behind the other; of very many, the first ones.
func quoteAll(texts []string) string {
	const most = 20
	words := make([]string, 0, most+1)
	for _, text := range texts[:min(most, len(texts))] {
		words = append(words, quote(text))
	}
	if len(texts) > most {
		words = append(words, fmt.Sprintf("and %d more", len(texts)-most))
	}
	return strings.Join(words, " ")
}

func quoted(was, now string) string { return quote(was) + " -> " + quote(now) }

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
