package main

import (
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/haz-build/haz/diag"
)

func completionCommand() *command {
	return &command{Command: cli.Command{Name: "completion", ArgsUsage: "bash|zsh|fish", Usage: "print a completion script for a shell",
		Description: "Prints a script that teaches a shell to complete commands, options, values and tasks.",
		UsageText:   lines("haz completion bash > ~/.local/share/bash-completion/completions/haz", "haz completion zsh > \"${fpath[1]}/_haz\"", "haz completion fish > ~/.config/fish/completions/haz.fish"),
	}, completes: shells, do: doCompletion}
}

// doCompletion is `haz completion`.
func doCompletion(v *invocation) error {
	words := v.refs()
	known := []string{"bash", "zsh", "fish"}
	if len(words) != 1 {
		return v.line.errorf("one shell is wanted: bash, zsh or fish", "")
	}
	script, ok := map[string]string{"bash": bashScript, "zsh": zshScript, "fish": fishScript}[words[0]]
	if !ok {
		return v.line.errorf("unknown shell "+diag.Quote(words[0]), suggest(words[0], known))
	}
	v.out.Print(script)
	return nil
}

// The scripts ask `haz __complete SHELL WORD...`, the last word being the one to complete. The first line of the answer says
// whether files or directories complete it as well; then comes one candidate a line, a tab, and what it is.
//
// They ask the haz of the line: shells complete ~/bin/haz and $HOME/bin/haz by what is known of haz, and hand the word over as it
// was typed. In a word of which nothing can be executed, tildes and variables are expanded. For any other, and where there is no such
// program (an alias), the haz on PATH is asked.

// Of bash, the words are taken from the line: it splits at colons, and references have colons.
const bashScript = `# bash completion for haz
__haz_program() {
    local plain='^([^][` + "`" + `(){}<>|&;*?]|\$\{[A-Za-z_][A-Za-z0-9_]*\})+$'
    program=
    [[ "$1" =~ $plain ]] && eval "program=$1" 2>/dev/null
    type -P -- "$program" >/dev/null || program=haz
}
_haz() {
    local line directive candidate program
    COMPREPLY=()
    __haz_program "${COMP_WORDS[0]}"
    {
        IFS= read -r directive || return 0
        while IFS= read -r candidate; do
            COMPREPLY+=("$candidate")
        done
    } < <("$program" __complete bash "${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null)
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
    local line program
    local plain='^([^][` + "`" + `(){}<>|&;*?]|\$\{[A-Za-z_][A-Za-z0-9_]*\})+$'
    [[ "${words[1]}" =~ $plain ]] && eval "program=${words[1]}" 2>/dev/null
    whence -p -- "$program" >/dev/null || program=haz
    lines=("${(@f)$("$program" __complete zsh "${(@Q)words[2,CURRENT-1]}" "${(Q)PREFIX}" 2>/dev/null)}")
    for line in "${(@)lines[2,-1]}"; do
        [[ -n "$line" ]] && candidates+=("${${line%%$'\t'*}//:/\:}:${line#*$'\t'}")
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

// fish gives the words without their quotes, apart from the last one.
const fishScript = `# fish completion for haz
function __haz_complete
    set -l words (commandline -opc)
    set -l word (commandline -ct | string replace -ra '\\\\(.)' '$1' | string replace -ra '["\']' '')
    while string match -qr '^(\w+=|(not|and|or|time|if|while|begin|!)$)' -- $words[1]
        set -e words[1]
    end
    set -l program (string replace -r '^~(?=/|$)' -- "$HOME" "$words[1]")
    set -l variable (string match -r '^\{?\$(\w+)\}?(/.*)$' -- "$program")
    if set -q variable[1]
        set -l name $variable[2]
        set program $$name$variable[3]
    end
    type -fq -- "$program"; or set program haz
    type -fq -- "$program"; or return
    set -l lines ($program __complete fish $words[2..-1] "$word" 2>/dev/null)
    switch "$lines[1]"
        case files
            __fish_complete_path "$word"
        case dirs
            __fish_complete_directories "$word"
    end
    test (count $lines) -gt 1; and printf '%s\n' $lines[2..-1]
end
complete -c haz -f -a '(__haz_complete)'
`

// bashWords splits a command line into words, as far as quoting matters here, without the program; the last is the one to
// complete. It returns also what of that word bash already regards as done: it breaks words at the characters of breaks
// (COMP_WORDBREAKS; somebody may have taken colons away) and at the quote that is open.
func bashWords(line, breaks string) (words []string, done string) {
	var word strings.Builder
	inWord := false
	quote := byte(0)
	doneAt, openAt := 0, 0
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
			quote, inWord, openAt = c, true, word.Len()
		case c == ' ' || c == '\t' || c == '\n':
			if inWord {
				words = append(words, word.String())
				word.Reset()
				inWord, doneAt = false, 0
			}
		default:
			word.WriteByte(c)
			inWord = true
			if strings.IndexByte(breaks, c) >= 0 {
				if doneAt = word.Len(); c == '@' || c == '$' { // these stay with what follows them
					doneAt--
				}
			}
		}
	}
	words = append(words, word.String())
	if quote != 0 {
		doneAt = openAt
	}
	return words[1:], word.String()[:doneAt]
}
