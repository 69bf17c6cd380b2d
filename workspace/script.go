package workspace

import (
	"slices"
	"strings"
)

// Programs lists names that a shell script starts as programs, each once, in order: as far as a look at its words can tell. It
// gives up where it would have to know the language (here documents, case, functions), so that what it lists is there, and
// what it does not list may be.
func Programs(script string) []string {
	s := scriptReader{rest: strings.ReplaceAll(script, "\\\n", " "), command: true}
	for s.next() {
	}
	return s.programs
}

// scriptReader reads a script word by word.
type scriptReader struct {
	rest     string
	command  bool // the next word is a command
	skip     bool // the next word is the file of a redirection
	programs []string
}

// next reads one word or operator; false at the end, and where the words alone say too little.
func (s *scriptReader) next() bool {
	s.rest = strings.TrimLeft(s.rest, " \t\r")
	if s.rest == "" {
		return false
	}
	switch c := s.rest[0]; {
	case c == '#':
		_, s.rest, _ = strings.Cut(s.rest, "\n")
		s.command = true
		return true
	case strings.HasPrefix(s.rest, "<<"), strings.HasPrefix(s.rest, "()"):
		return false
	case strings.IndexByte("\n;&|(){}", c) >= 0:
		s.rest = s.rest[1:]
		s.command = c != ')' && c != '}'
		return true
	case c == '<' || c == '>':
		s.rest = strings.TrimLeft(s.rest, "<>&|")
		s.skip = true
		return true
	}
	return s.word()
}

// word reads a word; what is quoted or expanded in it makes it no plain one.
func (s *scriptReader) word() bool {
	end, plain := 0, true
	for end < len(s.rest) && strings.IndexByte(" \t\r\n;&|()<>", s.rest[end]) < 0 {
		length := 1
		switch c := s.rest[end]; {
		case c == '\\':
			length, plain = 2, false
		case c == '`', strings.HasPrefix(s.rest[end:], "$("), strings.HasPrefix(s.rest[end:], "${"):
			return false // a script in a script
		case c == '\'' || c == '"':
			i := strings.IndexByte(s.rest[end+1:], c)
			if i < 0 || c == '"' && strings.ContainsAny(s.rest[end+1:end+1+i], "\\`") || c == '"' && strings.Contains(s.rest[end+1:end+1+i], "$(") {
				return false
			}
			length, plain = i+2, false
		}
		end += length
	}
	word := s.rest[:min(end, len(s.rest))]
	s.rest = s.rest[len(word):]
	return s.take(word, plain)
}

func (s *scriptReader) take(word string, plain bool) bool {
	switch {
	case s.skip:
		s.skip = false
	case strings.Trim(word, "0123456789") == "" && strings.HasPrefix(s.rest, ">"): // 2>file
	case word == "case" || word == "function":
		return false
	case !s.command:
	case leading[word]: // a command follows
	case plain && strings.HasPrefix(s.rest, "("): // a function
		return false
	case isAssignment(word):
	default:
		s.command = false
		if plain && !builtins[word] && isProgramName(word) && !slices.Contains(s.programs, word) {
			s.programs = append(s.programs, word)
		}
	}
	return true
}

func isAssignment(word string) bool {
	name, _, found := strings.Cut(word, "=")
	return found && name != "" && strings.Trim(name, nameCharacters) == ""
}

const nameCharacters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"

func isProgramName(word string) bool {
	return strings.Trim(word, nameCharacters+"+.-") == "" && word != "." && word[0] != '-'
}

func words(text string) map[string]bool {
	set := map[string]bool{}
	for _, w := range strings.Fields(text) {
		set[w] = true
	}
	return set
}

// leading are words after which a command begins; builtins are what no shell looks for in PATH, or what some have themselves.
var (
	leading  = words("! if then else elif while until do time")
	builtins = words("fi done esac for in select [ [[ ]] : . alias bg break builtin cd chdir command compgen continue coproc declare dirs disown echo enable eval " +
		"exec exit export false fc fg getopts hash help history jobs kill let local logout mapfile noglob popd print printf pushd pwd read readarray readonly return " +
		"set setopt shift shopt source suspend test times trap true type typeset ulimit umask unalias unset unsetopt wait whence where which")
)
