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

// isAzureCommand reports whether a line is a log command of Azure Pipelines, `##vso[area.action properties]message`, or one that
// formats the line, `##[warning]text`. Those of groups do not count, as in isCommand.
func isAzureCommand(line []byte) bool {
	line = bytes.TrimLeft(line, " \t")
	if rest, ok := bytes.CutPrefix(line, []byte("##vso[")); ok {
		return bytes.IndexByte(rest, ']') > 0
	}
	rest, ok := bytes.CutPrefix(line, []byte("##["))
	name, _, closed := bytes.Cut(rest, []byte("]"))
	return ok && closed && len(name) > 0 && !bytes.EqualFold(name, []byte("group")) && !bytes.EqualFold(name, []byte("endgroup"))
}

// isServiceMessage reports whether a line is a service message of TeamCity, `##teamcity[name attributes]`. Those that open and close
// blocks do not count, as in isCommand.
func isServiceMessage(line []byte) bool {
	rest, ok := bytes.CutPrefix(bytes.TrimLeft(line, " \t"), []byte("##teamcity["))
	return ok && bytes.IndexByte(rest, ']') > 0 && !bytes.HasPrefix(rest, []byte("block"))
}

// escapeCommand escapes the message of a workflow command.
func escapeCommand(s string) string {
	return strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A").Replace(s)
}
