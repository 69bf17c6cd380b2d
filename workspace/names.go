package workspace

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/haz-build/haz/diag"
)

// NameMax, PartsMax and ShellNameMax are the longest names in bytes (ID-003): PartsMax of a project or task whose name has several parts,
// which is what the name of an npm package may have. EnvNameMax is that of environment variables.
const (
	NameMax      = 64
	PartsMax     = 214
	ShellNameMax = 32
	EnvNameMax   = 256
)

// A NameError says why a text is no name: which rule, which character, which limit.
type NameError struct {
	Rule           string // "ID-001"; "" for names of environment variables
	Reason         string // without the name: `character " " is not allowed …`
	Offset, Length int    // of the offending part, in bytes
}

func (e *NameError) Error() string {
	if e.Rule == "" {
		return e.Reason
	}
	return e.Reason + " (" + e.Rule + ")"
}

// CheckName checks the name of a tag, mutex, overlay or set of files (ID-001 … ID-004): 1 to 64 bytes of A-Z a-z 0-9 _ -, the first a
// letter or digit. The error is *NameError.
func CheckName(s string) error { return checkName(s, NameMax) }

// CheckProjectName checks the name of a project, or an alias of one: what CheckName allows and . @ /, so that packages keep their
// names: @acme/ui. What stands between slashes is a part. No part is empty or has nothing but dots, so that no name is a path that leads
// elsewhere; the first character is a letter or a digit, which may have an @ before it. A name of one part has 1 to 64 bytes, any other up to 214.
// The error is *NameError.
func CheckProjectName(s string) error { return checkParts(s, "/", "A-Z a-z 0-9 _ - . @ /") }

// CheckFamilyName checks what a file calls a task (haz::cfg::006): of project names and the colon, which separates parts as a slash does:
// build:prod. The error is *NameError.
func CheckFamilyName(s string) error { return checkParts(s, "/:", "A-Z a-z 0-9 _ - . @ / :") }

// ProjectSet is no name that a user gives a set of files: $project means the project's own files (PATH-025).
const ProjectSet = "project"

// LockSet is none either: $lock means what the project reaches in its lock file (haz::cfg::114).
const LockSet = "lock"

// CheckShellName checks the name of a shell: a name of at most 32 bytes.
func CheckShellName(s string) error { return checkName(s, ShellNameMax) }

func checkName(s string, limit int) error {
	if s == "" {
		return &NameError{Rule: "ID-003", Reason: fmt.Sprintf("a name has 1 to %d bytes, and this one is empty", limit)}
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case isLetter(c) || isDigit(c):
		case (c == '_' || c == '-') && i > 0:
		case c == '_' || c == '-':
			return &NameError{Rule: "ID-002", Length: 1,
				Reason: fmt.Sprintf("a name starts with a letter A-Z a-z or a digit, not with %s", diag.Quote(s[:1]))}
		default:
			return badCharacter(s, i, "a name has only the characters A-Z a-z 0-9 _ -", "ID-001")
		}
	}
	if len(s) > limit {
		return tooLong(s, limit)
	}
	return nil
}

func tooLong(s string, limit int) *NameError {
	return &NameError{Rule: "ID-003", Offset: limit, Length: len(s) - limit,
		Reason: fmt.Sprintf("a name has at most %d bytes, and this one has %d", limit, len(s))}
}

// checkParts checks a name of parts, which separators separate; characters are all that it may have.
func checkParts(s, separators, characters string) error {
	if s == "" {
		return checkName(s, NameMax)
	}
	if first := strings.TrimPrefix(s, "@"); first == "" || strings.IndexByte("_-.@", first[0]) >= 0 || first != s && strings.IndexByte(separators, first[0]) >= 0 {
		return badStart(s)
	}
	start, limit := 0, NameMax
	for i := 0; i <= len(s); i++ {
		if i == len(s) || strings.IndexByte(separators, s[i]) >= 0 {
			if err := checkPart(s, start, i); err != nil {
				return err
			}
			if start = i + 1; i < len(s) {
				limit = PartsMax
			}
			continue
		}
		if c := s[i]; !isLetter(c) && !isDigit(c) && strings.IndexByte("_-.@", c) < 0 {
			return badCharacter(s, i, "a name has only the characters "+characters, "ID-001")
		}
	}
	if len(s) > limit {
		return tooLong(s, limit)
	}
	return nil
}

// badStart is about the first character of a name of parts.
func badStart(s string) error {
	if s == "@" {
		return &NameError{Rule: "ID-002", Length: 1, Reason: `behind the "@" that a name starts with stands a letter A-Z a-z or a digit, not nothing`}
	}
	at := 0
	if s[0] == '@' {
		at = 1
	}
	return &NameError{Rule: "ID-002", Offset: at, Length: 1,
		Reason: fmt.Sprintf("a name starts with a letter A-Z a-z or a digit, not with %s", diag.Quote(s[at:at+1]))}
}

// checkPart checks s[from:to], what stands between two separators or an end.
func checkPart(s string, from, to int) error {
	switch part := s[from:to]; {
	case part == "":
		at := max(0, from-1)
		return &NameError{Rule: "ID-002", Offset: at, Length: 1,
			Reason: "a part of a name is not empty, and " + diag.Quote(s[at:at+1]) + " has nothing beside it"}
	case strings.Trim(part, ".") == "":
		return &NameError{Rule: "ID-002", Offset: from, Length: len(part),
			Reason: "a part of a name has more than dots, and one is " + diag.QuoteShort(part)}
	}
	return nil
}

// CheckEnvName checks the name of an environment variable: [A-Za-z_][A-Za-z0-9_]*, 1 to 256 bytes. The error is *NameError.
func CheckEnvName(s string) error {
	if s == "" {
		return &NameError{Reason: "the name of a variable cannot be empty"}
	}
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch {
		case isLetter(c) || c == '_' || isDigit(c) && i > 0:
		case isDigit(c):
			return &NameError{Length: 1, Reason: "the name of a variable cannot start with a digit"}
		default:
			return badCharacter(s, i, "the name of a variable has only the characters A-Z a-z 0-9 _", "")
		}
	}
	if len(s) > EnvNameMax {
		return &NameError{Offset: EnvNameMax, Length: len(s) - EnvNameMax,
			Reason: fmt.Sprintf("the name of a variable has at most %d bytes, and this one has %d", EnvNameMax, len(s))}
	}
	return nil
}

func badCharacter(s string, i int, only, rule string) error {
	_, size := utf8.DecodeRuneInString(s[i:])
	return &NameError{Rule: rule, Offset: i, Length: size,
		Reason: fmt.Sprintf("%s, not %s", only, diag.Quote(s[i:i+size]))}
}

func isLetter(c byte) bool { return 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' }
func isDigit(c byte) bool  { return '0' <= c && c <= '9' }
