package report

import (
	"bytes"
	"strings"
)

// isCommand reports whether a line is a workflow command of GitHub Actions, `::name properties::message`, blanks before it
// aside. Such a line means something only at the start of a line, so it goes without the prefix of its task.
//
// Commands that open and close groups do not count: tasks that print side by side would fold each other's lines away.
func isCommand(line []byte) bool {
	rest, ok := bytes.CutPrefix(bytes.TrimLeft(line, " \t"), []byte("::"))
	if !ok {
		return false
	}
	head, _, closed := bytes.Cut(rest, []byte("::"))
	name, _, _ := bytes.Cut(head, []byte(" "))
	if !closed || len(name) == 0 {
		return false
	}
	for _, c := range name {
		if c != '-' && c != '_' && (c < '0' || c > '9') && (c < 'A' || c > 'Z') && (c < 'a' || c > 'z') {
			return false
		}
	}
	return !bytes.EqualFold(name, []byte("group")) && !bytes.EqualFold(name, []byte("endgroup"))
}

// escapeCommand escapes the message of a workflow command.
func escapeCommand(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}
