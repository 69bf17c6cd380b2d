package main

import (
	"strings"

	"github.com/haz-build/haz/diag"
)

// doCompletion is `haz completion`.
func doCompletion(v *invocation) error {
	words := v.refs()
	shells := []string{"bash", "zsh", "fish"}
	if len(words) != 1 {
		return v.p.errorf("one shell is wanted: bash, zsh or fish", "")
	}
	script, ok := map[string]string{"bash": bashScript, "zsh": zshScript, "fish": fishScript}[words[0]]
	if !ok {
		return v.p.errorf("unknown shell "+diag.Quote(words[0]), suggest(words[0], shells))
	}
	v.out.print(script)
	return nil
}

// The scripts ask `haz __complete SHELL WORD...`, the last word being the one to complete. The first line of the answer says
// whether files or directories complete it as well; then comes one candidate a line, a tab, and what it is.

// Of bash, the words are taken from the line: it splits at colons, and references have colons.
const bashScript = `# bash completion for haz
_haz() {
    local line directive candidate cur
    cur="${COMP_WORDS[COMP_CWORD]}"
    COMPREPLY=()
    {
        IFS= read -r directive || return 0
        while IFS= read -r candidate; do
            COMPREPLY+=("$candidate")
        done
    } < <("${COMP_WORDS[0]}" __complete bash "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null)
    case "$directive" in
        files) compopt -o default ;;
        dirs) compopt -o dirnames ;;
    esac
    if [[ ${#COMPREPLY[@]} -eq 1 && ${COMPREPLY[0]} == *= ]]; then
        compopt -o nospace
    fi
}
complete -F _haz haz
`

const zshScript = `#compdef haz
# zsh completion for haz
_haz() {
    local -a lines candidates
    local line
    lines=("${(@f)$("${words[1]}" __complete zsh "${(@)words[2,CURRENT]}" 2>/dev/null)}")
    for line in "${(@)lines[2,-1]}"; do
        [[ -n "$line" ]] && candidates+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
    done
    (( ${#candidates} )) && _describe -t haz haz candidates
    case "${lines[1]}" in
        files) _files ;;
        dirs) _files -/ ;;
    esac
}
if [ "$funcstack[1]" = "_haz" ]; then
    _haz "$@"
else
    compdef _haz haz
fi
`

const fishScript = `# fish completion for haz
function __haz_complete
    set -l words (commandline -opc)
    set -l lines ($words[1] __complete fish $words[2..-1] (commandline -ct) 2>/dev/null)
    switch "$lines[1]"
        case files
            __fish_complete_path (commandline -ct)
        case dirs
            __fish_complete_directories (commandline -ct)
    end
    test (count $lines) -gt 1; and printf '%s\n' $lines[2..-1]
end
complete -c haz -f -a '(__haz_complete)'
`

// bashWords splits a command line into words, as far as quoting matters here, without the program; the last is the one to
// complete. It returns also what of that word bash already regards as done: it breaks words at colons and equal signs, unless
// somebody took these away from breaks (COMP_WORDBREAKS).
func bashWords(line, breaks string) (words []string, done string) {
	var word strings.Builder
	inWord := false
	quote := byte(0)
	for i := 0; i < len(line); i++ {
		c := line[i]
		switch {
		case quote != 0 && c == quote:
			quote = 0
		case quote == '\'' || quote == '"' && c != '\\':
			word.WriteByte(c)
		case c == '\\' && i+1 < len(line):
			i++
			word.WriteByte(line[i])
			inWord = true
		case c == '\'' || c == '"':
			quote, inWord = c, true
		case c == ' ' || c == '\t' || c == '\n':
			if inWord {
				words = append(words, word.String())
				word.Reset()
				inWord = false
			}
		default:
			word.WriteByte(c)
			inWord = true
		}
	}
	last := word.String()
	words = append(words, last)
	if i := strings.LastIndexFunc(last, func(r rune) bool { return (r == ':' || r == '=') && strings.ContainsRune(breaks, r) }); i >= 0 && quote == 0 {
		done = last[:i+1]
	}
	return words[1:], done
}
