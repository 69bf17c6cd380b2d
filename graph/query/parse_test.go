package query

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
)

// show writes an expression fully parenthesized.
func show(n *node) string {
	var s string
	switch n.op {
	case opAtom:
		s = n.atom.name + n.atom.pattern.String()
	case opRelation:
		s = string(n.as) + "(" + show(n.args[0]) + ")"
	case opAnd, opOr:
		parts := make([]string, len(n.args))
		for i, a := range n.args {
			parts[i] = show(a)
		}
		s = "(" + strings.Join(parts, map[operator]string{opAnd: " & ", opOr: " | "}[n.op]) + ")"
	}
	if n.not {
		return "!" + s
	}
	return s
}

// QRY-002: precedence, blanks, quotes.
func TestParse(t *testing.T) {
	lib := &workspace.Project{Name: "lib", Dir: "/lib"}
	for _, c := range []struct {
		option     Option
		expr, want string
	}{
		{Tags, "a", "a"},
		{Tags, " \ta\t ", "a"},
		{Tags, "a|b|c", "(a | b | c)"},
		{Tags, "a&b|c&d", "((a & b) | (c & d))"},
		{Tags, "a|b&c", "(a | (b & c))"},
		{Tags, "(a|b)&c", "((a | b) & c)"},
		{Tags, "!a&b", "(!a & b)"},
		{Tags, "! a", "!a"},
		{Tags, "!(a|b)", "!(a | b)"},
		{Tags, "!(!a)", "!(!a)"},
		{Tags, "!(!(!a))", "!(!(!a))"},
		{Tags, "((((a))))", "a"},
		{Tags, "(a&b)&c", "((a & b) & c)"},
		{Tags, `"a"&'b'`, "(a & b)"},
		{Inputs, "src/a.c", "/lib/src/a.c"},
		{Inputs, "/src/**/*.c & !src/[^a].c", "(/src/**/*.c & !/lib/src/[^a].c)"},
		{Outputs, `"x y" | '/(a)' | "[!a]" | '"'`, `(/lib/x y | /(a) | /lib/[!a] | /lib/")`},
		{Outputs, `a"b|it's`, `(/lib/a"b | /lib/it's)`}, // a quote inside a token is itself
		{ChildOf, "name:t", "t"},
		{ChildOf, "name:t|project:p&!tag:g", "(t | (p & !g))"},
		{DependsOn, `"name:t"`, "t"},
		{Tasks, "t*|*", "(t* | *)"},
		{All, "name:t & tag:g | has:deps & input:a.c", "((t & g) | (deps & /lib/a.c))"},
		{All, "!depends-on(!child-of( name:t ) | tag:g)&project:p*", "(!depends-on((!child-of(t) | g)) & p*)"},
		{All, "parent-of (name:t)", "parent-of(t)"},
	} {
		n, errs := parse(Filter{c.option, c.expr}, lib)
		if len(errs) > 0 {
			t.Errorf("%q: %v", c.expr, errs[0])
			continue
		}
		if got := show(n); got != c.want {
			t.Errorf("%q: got %s, want %s", c.expr, got, c.want)
		}
	}
}

// Every error of 7.2: place in bytes from 0, and the reason.
func TestParseErrors(t *testing.T) {
	for _, c := range []struct {
		option Option
		expr   string
		at     int
		reason string
		hint   string
	}{
		{Tags, "", 0, "is empty", ""},
		{Tags, " \t ", 0, "is empty", ""},
		{Tags, "a&", 2, "an atom is expected", ""},
		{Tags, "a | ", 4, "an atom is expected", ""},
		{Tags, "!", 1, "an atom is expected", ""},
		{Tags, "()", 1, `an atom is expected before ")"`, ""},
		{Tags, "(a|)", 3, "an atom is expected", ""},
		{Tags, "&a", 0, `unexpected operator '&'`, ""},
		{Tags, "a&&b", 2, `unexpected operator '&'`, ""},
		{Tags, "a||b", 2, `unexpected operator '|'`, ""},
		{Tags, "a&|b", 2, `unexpected operator '|'`, ""},
		{Tags, "!!a", 1, `unexpected operator "!"`, ""},
		{Tags, "! !a", 2, `unexpected operator "!"`, ""},
		{Tags, "a b", 2, `unexpected "b" after a complete expression`, "between two atoms"},
		{Tags, "a !b", 2, "after a complete expression", ""},
		{Tags, "a!b", 1, "after a complete expression", ""},
		{Tags, "a(b)", 1, `unexpected "(" after a complete expression`, ""},
		{Tags, "(a)b", 3, `unexpected "b" after a complete expression`, ""},
		{Tags, "(a b)", 3, `unexpected "b" after a complete expression`, ""},
		{Tags, `"a""b"`, 3, "after a complete expression", ""},
		{Tags, "(a", 0, `unmatched "("`, ""},
		{Tags, "a&((b)", 2, `unmatched "("`, ""},
		{Tags, "a)", 1, `unmatched ")"`, ""},
		{Tags, ")", 0, `unmatched ")"`, ""},
		{Tags, "(a))", 3, `unmatched ")"`, ""},
		{Tags, "a|'b", 2, "the quote ' is not closed", ""},
		{Tags, "a|b?", 2, `"b?" is no name of a tag`, ""},
		{Tags, "a\nb", 0, `"a\nb" is no name`, ""}, // a newline is an ordinary character
		{Tags, `""`, 1, `"" is no name`, ""},
		{Projects, "-a", 0, "is no name of a project", ""},
		{Tasks, "é", 0, "(ID-001)", ""},
		{Tasks, strings.Repeat("a", 65), 0, "(ID-003)", ""},
		{Inputs, "src/../a", 4, "(PATH-002)", ""},
		{Inputs, "/ok|src//a", 7, "(PATH-003)", ""},
		{Inputs, "src/[!a].c", 5, `unexpected "!"`, "[^a]"},
		{Outputs, "a.c|[", 4, "(PATH-013)", ""},
		{ChildOf, "t", 0, `has no ":"`, `"name:t"`},
		{ParentOf, "a&task:t", 0, `has no ":"`, ""},
		{ParentOf, "task:t", 0, `unknown keyword "task"`, ""},
		{DependsOn, "nmae:t", 0, `unknown keyword`, `did you mean "name:t"?`},
		{DependsOn, "lib:build", 0, `unknown keyword "lib"`, `"name:build" and "project:lib"`},
		{DependsOn, "Name:t", 0, `unknown keyword`, ""},
		{AncestorOf, "name:", 5, `"" is no name of a task`, ""},
		{AncestorOf, "tag:a:b", 4, `"a:b" is no name of a tag`, ""},
		{Option("nope"), "a", 0, "no such option", ""},
		{Tags, "-*", 0, `"-*" is no name of a tag`, ""},
		{Tasks, "t[n=*", 0, "not closed", ""},
		{All, "lib", 0, `"lib" has no ":"`, `did you mean "project:lib" or "name:lib"?`},
		{All, "name:t & build", 9, `"build" has no ":"`, ""},
		{All, "task:t", 0, `unknown keyword "task"`, `did you mean "name:t"?`},
		{All, "nmae:t", 0, "unknown keyword", `did you mean "name:t"?`},
		{All, "lib:build", 0, `unknown keyword "lib"; it is name:TASK, project:NAME, tag:NAME, input:PATTERN, output:PATTERN or has:WORD`, `"project:lib & name:build"`},
		{All, "name:", 5, `"" is no name of a task`, ""},
		{All, "input:src//a", 9, "(PATH-003)", ""},
		{All, "has:dep", 4, "it is has:deps, inputs, outputs or mutex", `did you mean "deps"?`},
		{All, "depends-on", 0, "followed by an expression in parentheses", "depends-on(name:build)"},
		{All, "name:t (name:u)", 7, "after a complete expression", ""},
		{All, "depends-on()", 11, `an atom is expected before ")"`, ""},
		{All, "!depends-on(name:t", 11, `unmatched "("`, ""},
		{All, "dependson(name:t)", 0, "unknown relation", `did you mean "depends-on"?`},
		{All, "parent-of(name:t, name:u)", 18, "after a complete expression", ""},
		{Tags, "depends-on(t)", 10, `unexpected "(" after`, ""},
	} {
		_, errs := parse(Filter{c.option, c.expr}, &workspace.Project{Dir: "/"})
		if len(errs) == 0 {
			t.Errorf("%s %q is no error", c.option, c.expr)
			continue
		}
		e := errs[0]
		if e.Offset != c.at || !strings.Contains(e.Reason, c.reason) || !strings.Contains(e.Hint, c.hint) {
			t.Errorf("%s %q: at %d: %s (%s); want %d: %s (%s)", c.option, c.expr, e.Offset, e.Reason, e.Hint, c.at, c.reason, c.hint)
		}
		for _, part := range []string{"--" + string(c.option), diag.Quote(c.expr), fmt.Sprintf("byte %d", c.at)} {
			if !strings.Contains(e.Error(), part) {
				t.Errorf("%q does not name %s", e, part)
			}
		}
	}
}

// All tokens are checked, also those that logic would never reach; and all filters.
func TestAllTokensAreChecked(t *testing.T) {
	err := Query{
		Filters: []Filter{{Tags, "a | b? | (c & !d?)"}, {Inputs, "/x|src/a.c|x//y"}, {ChildOf, "("}},
		HasDeps: true, NoDeps: true,
	}.Check()
	var list *diag.Errors
	if !errors.As(err, &list) {
		t.Fatal(err)
	}
	if text := list.Error(); len(list.List) != 5 || !strings.Contains(text, "byte 4") || !strings.Contains(text, "byte 15") ||
		!strings.Contains(text, "QRY-005") || strings.Count(text, "[QRY-002]") != 4 {
		t.Error(text)
	}
	// Without a project, relative patterns are an error even when no candidate has patterns (QRY-003).
	_, errs := parse(Filter{Outputs, "/x | src/a.c"}, nil)
	if len(errs) != 1 || errs[0].Rule != "QRY-003" || errs[0].Offset != 5 || !strings.Contains(errs[0].Hint, "leading /") {
		t.Errorf("%v", errs)
	}
}

// Nesting has a limit, length has none.
func TestLimits(t *testing.T) {
	nested := func(n int) string { return strings.Repeat("(", n) + "a" + strings.Repeat(")", n) }
	if _, errs := parse(Filter{Tags, nested(maxNesting)}, nil); len(errs) > 0 {
		t.Error(errs[0])
	}
	if _, errs := parse(Filter{Tags, "a|" + nested(maxNesting+1)}, nil); len(errs) != 1 || errs[0].Offset != 2+maxNesting || !strings.Contains(errs[0].Reason, "nested") {
		t.Errorf("%v", errs)
	}
	long := strings.Repeat("!(a|b)&", 100_000) + "c"
	if n, errs := parse(Filter{Tags, long}, nil); len(errs) > 0 || len(n.args) != 100_001 {
		t.Error("a long expression")
	}
	if _, errs := parse(Filter{Tags, strings.Repeat("a?|", 100_000) + "c"}, nil); len(errs) != maxWrong {
		t.Errorf("%d errors", len(errs))
	}
}

// FuzzParse: whatever comes, an answer; what is read means the same once more; errors lie in the text.
func FuzzParse(f *testing.F) {
	for _, s := range []string{"a", "a & !b | (c)", `"a b"|'c'`, "src/[^a]/**", "name:a|tag:b", "depends-on(!name:*|has:deps)&input:a", "((", "!!", "é\x00\xff", "a\n&b"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, o := range Options {
			n, errs := parse(Filter{o, text}, &workspace.Project{Dir: "/d"})
			for _, e := range errs {
				if e.Offset < 0 || e.Offset > len(text) || e.Reason == "" {
					t.Fatalf("%q: %d %q", text, e.Offset, e.Reason)
				}
			}
			if len(errs) > 0 {
				continue
			}
			printed := write(o, n)
			again, errs := parse(Filter{o, printed}, &workspace.Project{Dir: "/d"})
			if len(errs) > 0 || show(again) != show(n) {
				t.Fatalf("%q: written %q: %v", text, printed, errs)
			}
		}
	})
}

// write prints an expression so that it is read again.
func write(o Option, n *node) string {
	var s string
	switch n.op {
	case opAtom:
		s = n.atom.name + n.atom.pattern.String()
		if o != Tags && o != Projects && o != Tasks && n.atom.name != "" {
			s = map[atomKind]string{byTag: "tag:", byProject: "project:", byTask: "name:", byField: "has:"}[n.atom.kind] + s
		}
		if o == All {
			s = map[atomKind]string{byInput: "input:", byOutput: "output:"}[n.atom.kind] + s
		}
		quote := `"`
		if strings.Contains(s, quote) {
			quote = "'"
		}
		if strings.Contains(s, quote) { // both: it was not written in quotes
			quote = ""
		}
		s = quote + s + quote
	case opRelation:
		s = string(n.as) + "(" + write(o, n.args[0]) + ")"
	default:
		parts := make([]string, len(n.args))
		for i, a := range n.args {
			parts[i] = write(o, a)
		}
		s = "(" + strings.Join(parts, map[operator]string{opAnd: "&", opOr: "|"}[n.op]) + ")"
	}
	if n.not {
		return "!" + s
	}
	return s
}
