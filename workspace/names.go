package workspace

import (
	"fmt"
	"unicode/utf8"

	"github.com/haz-build/haz/diag"
)

// NameMax and ShellNameMax are the longest names in bytes (ID-003); EnvNameMax is that of environment variables.
const (
	NameMax      = 64
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

// CheckName checks the name of a project, task, tag, mutex or overlay (ID-001 … ID-004): 1 to 64 bytes of A-Z a-z 0-9 _ -,
// the first a letter or digit. The error is *NameError.
func CheckName(s string) error { return checkName(s, NameMax) }

// ProjectSet is no name that a user gives a set of files: $project means the project's own files (PATH-025).
const ProjectSet = "project"

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
		return &NameError{Rule: "ID-003", Offset: limit, Length: len(s) - limit,
			Reason: fmt.Sprintf("a name has at most %d bytes, and this one has %d", limit, len(s))}
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
