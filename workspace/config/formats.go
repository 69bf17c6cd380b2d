package config

import (
	"cmp"
	"errors"
	"fmt"
	"path"
	"strings"

	"go.yaml.in/yaml/v4"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
)

// check holds a text to a format. Patterns and references are not checked here: the former are parsed where they are kept,
// the latter by package workspace, whose type they are.
func (m *mapper) check(rule string, f Format, t Text) bool {
	switch f {
	case Name:
		return m.name(rule, t, t.Value, workspace.CheckName)
	case ProjectName:
		return m.name(rule, t, t.Value, workspace.CheckProjectName)
	case TaskName:
		return m.name(rule, t, t.Value, workspace.CheckFamilyName)
	case ShellName:
		return m.name(rule, t, t.Value, workspace.CheckShellName)
	case CellValue:
		return m.cellValue(rule, t)
	case ShellOption:
		return m.shellOption(rule, t)
	case EnvName:
		return m.name(rule, t, t.Value, workspace.CheckEnvName)
	case SetName:
		return m.setName(rule, t)
	case PassName:
		return m.name(rule, t, t.Value, workspace.CheckPassName)
	case MutexName:
		return m.name(rule, t, strings.TrimPrefix(t.Value, "~:"), workspace.CheckName)
	case Location:
		return m.location(rule, t)
	case EnvFile:
		return m.envFile(rule, t)
	case UmaskText:
		if _, err := ParseUmask(t.Value); err != nil {
			m.add(rule, t.Span, "bad umask "+diag.QuoteShort(t.Value)+": "+err.Error(), umaskGrammar)
			return false
		}
	case LiteralText:
		return m.literal(rule, t)
	case URLText:
		if err := workspace.CheckURL(t.Value); err != nil {
			m.add(rule, t.Span, "bad URL "+diag.QuoteShort(t.Value)+": "+err.Error(), urlHint)
			return false
		}
	case OutputText:
		if t.Value == "" || strings.ContainsAny(t.Value, "\n\r\x00") {
			m.add(rule, t.Span, "bad output "+diag.QuoteShort(t.Value)+": it is a text of one line that is not empty", `output: "listening on"`)
			return false
		}
	case FailureText:
		return m.retryCause(rule, t)
	case Program:
		if t.Value == "" {
			m.add(rule, t.Span, "the name of the program is empty", toolHint)
			return false
		}
		return m.check(rule, Argument, t)
	case Argument:
		if i := strings.IndexByte(t.Value, 0); i >= 0 {
			m.add(rule, t.Span, fmt.Sprintf("the text holds a NUL byte (at position %d), which no program can be given", i), "")
			return false
		}
	}
	return true
}

func (m *mapper) cellValue(rule string, t Text) bool {
	err := workspace.CheckCellValue(t.Value)
	if err == nil {
		return true
	}
	sp := t.Span
	var e *workspace.NameError
	if errors.As(err, &e) && e.Length > 0 {
		sp = m.src.Within(t, e.Offset, e.Length)
	}
	m.add(rule, sp, "bad value "+diag.QuoteShort(t.Value)+": "+e.Reason, "")
	return false
}

// shellOption refuses what would make another thing of the shell's command line than options, -c and the script.
func (m *mapper) shellOption(rule string, t Text) bool {
	letters, isOption := strings.CutPrefix(t.Value, "-")
	posix := isOption && strings.Trim(letters, "abcefhimnuvx") == "" // not -NonInteractive
	switch {
	case t.Value == "":
		m.add(rule, t.Span, "the option is empty", "shell_options: [-eu, -o, pipefail]    or, for none: shell_options: []")
	case posix && strings.Contains(letters, "c"):
		hint := "haz writes -c itself, before the script"
		if rest := strings.ReplaceAll(t.Value, "c", ""); rest != "-" {
			hint += ": write " + rest
		}
		m.add(rule, t.Span, "the option "+diag.QuoteShort(t.Value)+" holds -c", hint)
	default:
		return m.check(rule, Argument, t)
	}
	return false
}

const locationGrammar = "it begins with / (on the host), ./ or ../ (from the root of the workspace) or ~/ (your home)"

// location checks the text of a place. Words without a slash are left for other meanings to come.
func (m *mapper) location(rule string, t Text) bool {
	bad := func(why string) bool {
		m.add(rule, t.Span, "bad location "+diag.QuoteShort(t.Value)+": "+why, "")
		return false
	}
	first, rest, _ := strings.Cut(t.Value, "/")
	switch {
	case strings.ContainsRune(t.Value, 0):
		return bad("it holds a NUL byte")
	case len(first) == len(t.Value), first != "" && first != "." && first != ".." && first != "~":
		return bad(locationGrammar)
	case strings.Trim(rest, "/") == "" && first != "..":
		return bad("it names no folder of its own")
	}
	return true
}

// literal is a path as inputs have it, without wildcards.
func (m *mapper) literal(rule string, t Text) bool {
	p, err := pattern.Parse(t.Value)
	switch {
	case err != nil:
		m.add(rule, t.Span, fmt.Sprintf("bad path %s: %v", diag.QuoteShort(t.Value), err), "")
	case !p.IsLiteral():
		m.add(rule, t.Span, "bad path "+diag.QuoteShort(t.Value)+": it has wildcards", "name one file or folder")
	default:
		return true
	}
	return false
}

// name checks the part of t that is a name.
func (m *mapper) name(rule string, t Text, name string, check func(string) error) bool {
	err := check(name)
	if err == nil {
		return true
	}
	sp := t.Span
	var e *workspace.NameError
	if errors.As(err, &e) && e.Length > 0 {
		sp = m.src.Within(t, len(t.Value)-len(name)+e.Offset, e.Length)
	}
	what := "name"
	if e != nil && e.Rule == "" {
		what = "name of a variable"
	}
	hint := ""
	if e != nil && e.Rule == "" && strings.Contains(t.Value, "*") {
		hint = wildcardHint(rule)
	}
	if rule == "haz::cfg::022" {
		hint = shellHint(name)
	}
	m.add(rule, sp, fmt.Sprintf("%s is no %s: %s", diag.QuoteShort(t.Value), what, err), hint)
	return false
}

// wildcardHint answers a `*` in the name of a variable.
func wildcardHint(rule string) string {
	if rule == "haz::cfg::041" {
		return "a * stands for the rest of names, behind their beginning: NPM_*"
	}
	return "variables are listed one by one; there are no wildcards"
}

// shellHint answers a path where the name of a shell belongs.
func shellHint(text string) string {
	hint := "shell_type is a name of at most 32 bytes, looked up in the task's PATH"
	if base := path.Base(text); strings.Contains(text, "/") && workspace.CheckShellName(base) == nil {
		hint += ": write " + base
	}
	return hint
}

// patterns maps a list of paths and globs (haz::cfg::007).
func (m *mapper) patterns(f *Field, n *yaml.Node) (Patterns, bool) {
	return sequence(m, f, n, func(v *yaml.Node, out *Patterns) bool {
		return m.each(f, v, func(t Text) bool {
			p, good := m.pattern(f, t)
			if good {
				out.Items = append(out.Items, p)
			}
			return good
		})
	})
}

func (m *mapper) pattern(f *Field, t Text) (Pattern, bool) {
	if f.Type.Format == ProjectPattern {
		switch {
		case t.Value != "/" && strings.HasPrefix(t.Value, "/") && path.Clean(t.Value) == "/": // "/.", "//" and "/p/.." too
			m.add("DISC-005", t.Span, diag.QuoteShort(t.Value)+` is the root of the workspace, which is written "/"`, `write "/"`)
			return Pattern{}, false
		case t.Value != "" && t.Value[0] != '/':
			hint := "write " + diag.Quote("/"+diag.Shorten(strings.TrimPrefix(t.Value, "./")))
			switch {
			case strings.HasPrefix(t.Value, ".."):
				hint = "a project lies inside the workspace"
			case t.Value == ".":
				hint = `for the root itself, write "/"; for the folders below it: /app or /libs/*`
			case t.Value[0] == '!':
				hint = ForeignPattern(f.Key, t.Value)
			case strings.HasSuffix(t.Value, "/"):
				hint = "write " + diag.Quote("/"+diag.Shorten(strings.Trim(strings.TrimPrefix(t.Value, "./"), "/")))
			}
			m.add("haz::cfg::010", t.Span, diag.QuoteShort(t.Value)+` does not start with "/", the root of the workspace`, hint)
			return Pattern{}, false
		}
	}
	isProject := f.Type.Format == ProjectPattern
	parse := pattern.Parse
	if isProject {
		parse = pattern.ParseEntry
	}
	text, not := t.Value, false
	if f.Type.Format == SelectPattern || f.Type.Format == InputPattern {
		text, not = strings.CutPrefix(t.Value, "!")
	}
	if name, isSet := strings.CutPrefix(text, "$"); isSet && !isProject {
		if f.Type.Format == InputPattern {
			return m.setItem(f, t, name, not)
		}
		if !m.noSets(f, t, name) {
			return Pattern{}, false
		}
	}
	g, err := parse(text)
	if err == nil {
		return Pattern{Text: t, Glob: g, Not: not}, true
	}
	rule := f.Rule
	if isProject {
		rule = "haz::cfg::010"
	}
	what := "pattern"
	sp, reason, hint := t.Span, err.Error(), ""
	var e *pattern.SyntaxError
	if errors.As(err, &e) {
		sp = m.src.Within(t, len(t.Value)-len(text)+e.Offset, e.Length)
		reason = fmt.Sprintf("%s (%s)", e.Reason, e.Rule)
		hint = cmp.Or(ForeignPattern(f.Key, t.Value), patternHint(e, text, isProject))
	}
	if t.Value == "" {
		what, reason, sp = "path", "it is empty (PATH-003)", t.Span
		if isProject {
			hint = "list the folders of projects: /app or /libs/*"
		}
	}
	m.add(rule, sp, fmt.Sprintf("bad %s %s: %s", what, diag.QuoteShort(t.Value), reason), hint)
	return Pattern{}, false
}

// withoutDots is a text without its "." and ".." segments; "" when it has none, or leads out of where it begins.
func withoutDots(text string) string {
	clean := path.Clean(text)
	if clean == strings.TrimRight(text, "/") || strings.ContainsAny(text, `{\`) || strings.HasPrefix(path.Clean("./"+text), "..") {
		return ""
	}
	if _, err := pattern.Parse(clean); err != nil {
		return ""
	}
	return clean
}

func patternHint(e *pattern.SyntaxError, text string, isProject bool) string {
	switch bare := strings.TrimRight(text, "/"); {
	case len(text) > longest && e.Rule != "PATH-011": // a hint would repeat it
	case strings.HasPrefix(text, "./") && !strings.Contains(text, ".."):
		return "write " + diag.Quote(strings.TrimPrefix(text, "./"))
	case withoutDots(text) != "":
		return "write " + diag.Quote(withoutDots(text))
	case strings.HasPrefix(text, "../"):
		return "a path that leaves the project starts with / and is meant from the root of the workspace"
	case strings.HasSuffix(text, "/") && bare != "" && isProject:
		return "write " + diag.Quote(bare) + " for the folder itself, " + diag.Quote(bare+"/*") + " for every folder in it"
	case strings.HasSuffix(text, "//") && bare != "":
		return "for the folder and all below it, write " + diag.Quote(bare+"/")
	case e.Rule == "PATH-011":
		return "** stands alone between two slashes: src/**/*.c"
	}
	return ""
}

// envFile holds a text to a path of one file, `?` aside.
func (m *mapper) envFile(rule string, t Text) bool {
	name, _ := OptionalFile(t.Value)
	p, err := pattern.Parse(name)
	why := ""
	switch {
	case name == "":
		why = "it is empty"
	case err != nil:
		why = err.Error()
	case !p.IsLiteral() || p.IsFolder():
		why = "it names no single file"
	}
	if why != "" {
		m.add(rule, t.Span, "bad file of variables "+diag.QuoteShort(t.Value)+": "+why, `files: [.env, ".env.local?"]`)
	}
	return why == ""
}

// OptionalFile takes the `?` off a text of env.files, which says that the file need not be there.
func OptionalFile(text string) (name string, optional bool) {
	if name, optional = strings.CutSuffix(text, "?"); optional && !strings.HasSuffix(name, `\`) {
		return name, true
	}
	return text, false
}
