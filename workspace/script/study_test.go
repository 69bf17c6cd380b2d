package script

import (
	"strings"
	"testing"
)

func TestLook(t *testing.T) {
	for _, c := range []struct {
		text, variables, commands, writes, asks string
		is                                      string // of Leaks, Bash, Arguments
	}{
		{text: "go build -o bin/app ./cmd/app", commands: "go,build,-o,bin/app,./cmd/app"},
		{text: "cd www && hugo", commands: "cd,www hugo", is: "leaks"},
		{text: "(cd www && hugo)", commands: "cd,www hugo"},
		{text: "A=1 make $A $B", variables: "A B", commands: "make,?,?"},
		{text: "A=$(git describe); go build -ldflags \"-X v=$A\"", commands: "git,describe go,build,-ldflags,?", asks: "git describe", is: "leaks"},
		{text: "echo $(cat $F) `date`", variables: "F", commands: "echo,?,? cat,? date"},
		{text: "echo a > out.txt 2>/dev/null; echo b >> $LOG", variables: "LOG", commands: "echo,a echo,b", writes: "out.txt ?"},
		{text: "for f in *.go; do gofmt -l $f; done", commands: "gofmt,-l,?", is: "leaks"},
		{text: "[[ -n $X ]] && echo {a,b} \"$@\"", variables: "X", commands: "echo,?,?", is: "bash arguments"},
		{text: "f() { echo $1; }; f a", commands: "echo,? f,a", is: "leaks arguments"},
		{text: "read -r line; echo $line $PWD", commands: "read,-r,line echo,?,?", is: "leaks"},
		{text: "sleep 1 &", commands: "sleep,1", is: "leaks"},
		{text: "cat <(sort a)", commands: "cat,? sort,a", is: "bash"},
	} {
		s, ok := Look(c.text)
		if !ok {
			t.Errorf("%s: no script", c.text)
			continue
		}
		var commands, writes, asks, is []string
		word := func(w Word) string {
			if !w.Known {
				return "?"
			}
			return w.Text
		}
		for _, k := range s.Commands {
			var words []string
			for _, w := range k.Words {
				words = append(words, word(w))
			}
			commands = append(commands, strings.Join(words, ","))
		}
		for _, w := range s.Writes {
			writes = append(writes, word(w))
		}
		for _, a := range s.Asks {
			asks = append(asks, a.Text)
		}
		for name, yes := range map[string]bool{"leaks": s.Leaks} {
			if yes {
				is = append(is, name)
			}
		}
		if s.Bash {
			is = append(is, "bash")
		}
		if s.Arguments {
			is = append(is, "arguments")
		}
		for _, part := range []struct{ what, got, want string }{
			{"variables", strings.Join(s.Variables, " "), c.variables}, {"commands", strings.Join(commands, " "), c.commands},
			{"writes", strings.Join(writes, " "), c.writes}, {"asks", strings.Join(asks, " "), c.asks}, {"is", strings.Join(is, " "), c.is},
		} {
			if part.got != part.want {
				t.Errorf("%s: %s %q, want %q", c.text, part.what, part.got, part.want)
			}
		}
	}
	if _, ok := Look("if true"); ok {
		t.Error("half a script is one")
	}
}

func TestExpand(t *testing.T) {
	x := map[string]Expansion{"ONE1": {"${A}", "${A}"}, "ALL1": {`"$@"`, "$*"}}
	for _, c := range []struct{ text, want string }{
		{"echo ONE1/b ALL1", `echo ${A}/b "$@"`},
		{`echo "v ONE1" 'v ONE1 w' "ALL1"`, `echo "v ${A}" 'v '"${A}"' w' "$*"`},
		{`echo "$(cat ONE1 ALL1)" ALL1`, `echo "$(cat ${A} "$@")" "$@"`},
		{"cat <<X\nONE1 ALL1\nX\necho ALL1", "cat <<X\n${A} $*\nX\necho \"$@\""},
		{"cat <<'X'\nONE1\nX\n", ""},
		{"echo $'ONE1'", ""},
		{"echo 'ONE1", ""},
		{"ONE1=1", "${A}=1"},
	} {
		if got, _ := Expand(c.text, x); got != c.want {
			t.Errorf("%s: %q, want %q", c.text, got, c.want)
		}
	}
}

// Whatever stands in a script is read without a panic, and a script in which nothing is to be expanded stays as it is.
func FuzzLook(f *testing.F) {
	for _, s := range []string{"a $b", "cat <<X\n$a\nX", "x='a' y=\"$(b `c`)\"", "for i in {a,b}; do :; done"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		_, isScript := Look(text)
		if out, ok := Expand(text, map[string]Expansion{}); ok != isScript || ok && out != text {
			t.Errorf("%q became %q, %v; a script: %v", text, out, ok, isScript)
		}
	})
}
