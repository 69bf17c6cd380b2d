package script

import (
	"slices"
	"strings"
	"testing"
)

// CACHE-036: which names of a script are programs.
func TestPrograms(t *testing.T) {
	for _, c := range []struct{ name, shell, text, want string }{
		{"one", "sh", "cc -c a.c", "cc"},
		{"each once, sorted", "sh", "make b; cc a\nmake c", "cc make"},
		{"nothing", "sh", "", ""},
		{"comment", "sh", "# cc\nmake # cc", "make"},
		{"builtins", "sh", "cd x && echo hi; [ -f a ] || exit 1; . ./env; : cc; true", ""},
		{"assignments", "sh", "CC=gcc LD=ld make; CC=clang", "make"},
		{"functions", "sh", "cc() { gcc \"$@\"; }\ncc -c a.c", "gcc"},
		{"a function of bash", "bash", "function cc { gcc; }; cc", "gcc"},
		{"defined below its use", "sh", "f() { g; }; g() { ld; }; f", "ld"},
		{"pipe, and, or, not", "sh", "a | b && c || ! d; e & f", "a b c d e f"},
		{"conditions and loops", "sh", "if a; then b; elif c; then d; else e; fi; while f; do g; done; until h; do i; done; for x in 1; do j; done", "a b c d e f g h i j"},
		{"case", "sh", "case $x in a|b) c;; *) d;; esac", "c d"},
		{"groups", "sh", "( a; b ) ; { c; }", "a b c"},
		{"substitutions", "sh", "echo $(a $(b)) `c` \"$(d)\" ${x:-$(e)} $(( $(f) + 1 ))", "a b c d e f"},
		{"of processes", "bash", "diff <(a) >(b)", "a b diff"},
		{"here document", "sh", "cat <<X\nnot this\n$(a)\nX\nb", "a b cat"},
		{"quoted here document", "sh", "cat <<'X'\n$(a)\nX\n", "cat"},
		{"redirections", "sh", ">out 2>&1 cc <in", "cc"},
		{"quoted names", "sh", `'cc' "ld" a"b"'c' \ls`, "cc"},
		{"quoted names, each", "sh", "\"ld\"\n a\"b\"'c'\n \\ls\n \"a\\\"b\" \n 'my tool'", "a\"b abc ld ls my tool"},
		{"put together", "sh", "$CC a; ${CC} b; \"$CC\" c; $(which cc) d; x$y e; ~/bin/f; to*l; {a,b}", "which; asks cc"},
		{"paths", "sh", "./a; ../b/c; /usr/bin/d; bin/e", "../b/c ./a /usr/bin/d bin/e"},
		{"line that goes on", "sh", "cc \\\n  -c\nl\\\nd", "cc ld"},
		{"test of bash", "bash", "[[ -n $(a) && b == c ]]", "a"},
		{"test of bash in sh", "sh", "[[ $x == y ]] && cc", "cc"},
		{"time", "bash", "time cc", "cc"},
		{"time of sh is a program", "sh", "time -f %e cc", "cc time"},
		{"coproc", "bash", "coproc cc", "cc"},
		{"declarations", "bash", "export A=$(a); local b=$(b); declare -a c=($(c)); readonly d", "a b c"},
		{"zsh", "zsh", "for f in *.c(N); do cc $f; done", "cc"},
		{"korn", "ksh", "print -- $(a); x=${ b; }", "a b"},

		{"env", "sh", "env -i -u A -C /tmp X=1 Y= cc -c", "cc env"},
		{"env, long", "sh", "env --ignore-environment --unset A --chdir=/ cc", "cc env"},
		{"env -S", "sh", "env -S 'node --flag' x; env -Sperl; env -vS 'A=1 ruby'", "env node perl ruby"},
		{"env -", "sh", "env - cc; env - A=1 ld; env -", "cc env ld"},
		{"env alone", "sh", "env X=1", "env"},
		{"exec", "sh", "exec -a name cc; exec >log", "cc"},
		{"exec of a builtin's name", "sh", "exec echo", "echo"},
		{"command", "sh", "command cc; command -p ld", "cc ld"},
		{"command in a function of its name", "sh", "cc() { command cc -g \"$@\"; }; ld() { env ld; }; cc a.c; command ar", "ar cc env ld"},
		{"functions of zsh", "zsh", "cc() { :; }; noglob cc *; nocorrect cc; noglob ld", "ld"},
		{"aliases", "sh", "alias c='cc -g' l=ld\nalias x=$y z", "cc ld"},
		{"command -v", "sh", "command -v ccache cc >/dev/null && cd x; type ar; hash ld; which nm", "which; asks ccache cc ar ld nm"},
		{"nice, nohup, setsid", "sh", "nice -n 5 a; nice -5 b; nice --adjustment=3 c; nohup d; setsid -w e", "a b c d e nice nohup setsid"},
		{"timeout", "sh", "timeout -k 5 -s KILL 10 a; timeout --signal INT 1m b; timeout 3", "a b timeout"},
		{"stdbuf", "sh", "stdbuf -oL -e 0 a", "a stdbuf"},
		{"caches of compilers", "sh", "ccache gcc -c a.c; sccache clang; distcc g++; ccache -s", "ccache clang distcc g++ gcc sccache"},
		{"flock", "sh", "flock -w 5 lock a; flock lock -c 'b; c'; flock 9; flock -n $f d", "a b c d flock"},
		{"taskset, chrt", "sh", "taskset -c 0,1 a; taskset 0x3 b; chrt -r 5 c", "a b c chrt taskset"},
		{"fakeroot, xvfb-run, strace", "sh", "fakeroot -- a; xvfb-run -a -s '-x 1' b; strace -f -o log c", "a b c fakeroot strace xvfb-run"},
		{"sudo", "sh", "sudo -u root -E A=1 a; sudo -uroot b; sudo -- c; doas -u x d", "a b c d doas sudo"},
		{"xargs", "sh", "ls | xargs -0 -n1 -I {} a {}; xargs -P 4 b; xargs", "a b ls xargs"},
		{"find", "sh", "find . -name x -exec a {} \\; -execdir b {} +", "a b find"},
		{"one in another", "sh", "sudo env A=1 nice -n 3 timeout 5 cc", "cc env nice sudo timeout"},
		{"by its path", "sh", "/usr/bin/env cc", "/usr/bin/env cc"},
		{"option that is not known before", "sh", "xargs $flags cc; xargs -n $n ld; timeout $t as", "as ld timeout xargs"},
		{"end of options", "sh", "nice -- cc", "cc nice"},
		{"no program of its own", "sh", "env $PROGRAM", "env"},

		{"shell in the script", "sh", "sh -c 'cc a'; bash -eo pipefail -c \"ld\" x; dash script.sh", "bash cc dash ld sh"},
		{"options behind -c", "sh", "bash -c -e 'cc'", "bash cc"},
		{"busybox", "sh", "busybox sh -c 'cc'; busybox ls", "busybox cc"},
		{"functions do not go along", "sh", "cc() { :; }; sh -c 'cc'", "cc sh"},
		{"eval", "sh", "f() { :; }; eval 'cc' a; eval f; eval $x", "cc"},
		{"trap", "sh", "trap 'rm -f x' EXIT; trap - INT", "rm"},
		{"fish is not read", "fish", "cc", ""},
		{"a mistake", "sh", "cc; if", ""},
	} {
		got := Read(c.shell, c.text)
		text := strings.Join(slices.Sorted(slices.Values(got.Programs)), " ")
		if len(got.Asked) > 0 {
			text += "; asks " + strings.Join(got.Asked, " ")
		}
		if text != c.want {
			t.Errorf("%s: %q starts %q, want %q", c.name, c.text, text, c.want)
		}
		if parsed := c.shell != "fish" && c.name != "a mistake"; got.Parsed != parsed {
			t.Errorf("%s: parsed %v", c.name, got.Parsed)
		}
	}
}

// CACHE-036: a command has no builtins and no functions.
func TestProgramsOfCommand(t *testing.T) {
	for _, c := range []struct {
		argv []string
		want string
	}{
		{[]string{"cc", "-c", "a.c"}, "cc"},
		{[]string{"echo", "cc"}, "echo"},
		{[]string{"command", "cc"}, "cc command"},
		{[]string{"env", "X=1", "make"}, "env make"},
		{[]string{"sh", "-c", "cc a.c && ./a.out"}, "./a.out cc sh"},
		{[]string{"/bin/bash", "-ec", "ld"}, "/bin/bash ld"},
		{[]string{"$CC", "~/x"}, "$CC"}, // nothing is expanded
		{[]string{"find", ".", "-exec", "rm", "{}", ";"}, "find rm"},
		{[]string{""}, ""},
		{nil, ""},
	} {
		if got := strings.Join(slices.Sorted(slices.Values(Programs(c.argv))), " "); got != c.want {
			t.Errorf("%q starts %q, want %q", c.argv, got, c.want)
		}
	}
}

// They are in the order of the script.
func TestOrder(t *testing.T) {
	if got := strings.Join(Read("sh", "make; cc; make; ar").Programs, " "); got != "make cc ar" {
		t.Errorf("%q", got)
	}
}

// Which scripts use their arguments.
func TestArguments(t *testing.T) {
	for text, want := range map[string]bool{
		`cc "$@"`: true, "cc $*": true, "cc $1": true, "cc ${12}": true, "echo $#": true, `cc "${@:2}"`: true, "cc ${1:-x}": true,
		"shift; cc": true, "while getopts a x; do :; done": true, "for x; do cc; done": true, "for x do cc; done": true,
		"cc $(ld \"$@\")": true, "cat <<X\n$1\nX": true, "echo $((1 + $1))": true, `eval 'cc $1'`: true,
		"cc": false, "": false, "cc $0 $? $$ $! $-": false, `cc '$@'`: false, `cc \$1`: false, "for x in a; do cc; done": false,
		"f() { cc \"$@\"; }; f": false, "f() { cc \"$@\"; }; f \"$@\"": true, "f() { shift; }": false, "# $1": false, "cat <<'X'\n$1\nX": false,
		`sh -c 'echo $1'`: false, "if": false,
	} {
		if got := Read("sh", text).Arguments; got != want {
			t.Errorf("%q uses its arguments: %v, want %v", text, got, want)
		}
	}
}

// Behind which scripts a word is an argument.
func TestAppendable(t *testing.T) {
	for text, want := range map[string]bool{
		"cc": true, "cc a\n\n": true, "a && cc": true, "a | cc": true, "a; cc": true, "! cc": true, "time cc": true, "cc >log": true, "A=1 cc": true, "cc a \\\n b": true,
		"a\ncc 'haz'": true, "cat <<X\na\nX\ncc": true, "exec cc": true, "f() { a; }; f": true, "cc 'haz' #": false, "(": true,
		"": false, "cc # why": false, "cc #": false, "cc;": false, "cc &": false, "cc \\": false, "cat <<X\na\nX": false, "(cc)": false, "{ cc; }": false,
		"if a; then cc; fi": false, "for x in a; do cc; done": false, "f() { cc; }": false, "A=1": false, "# cc": false,
	} {
		if got := Appendable("sh", text); got != want {
			t.Errorf("a word behind %q is an argument: %v, want %v", text, got, want)
		}
	}
}

// A script that is too long is not read, and one that nests as deep as it can be is no harm.
func TestHostileScripts(t *testing.T) {
	if o := Read("sh", "cc;"+strings.Repeat("#", maxScript)); o.Parsed {
		t.Error("too long a script was read")
	}
	for _, unit := range []string{"(", "{ ", "$(", "`", "if ", "! ", "${x:-", "$((", "((", "case x in x) ", "f() ", "while ", "[[ ( ", "a <<", "sh -c '", `"$(`, "a | ", "a && "} {
		for shell := range dialects {
			Read(shell, strings.Repeat(unit, maxScript/len(unit)))
		}
	}
	nested := "cc"
	for range 8 {
		nested = "sh -c '" + strings.ReplaceAll(nested, "'", `'\''`) + "'"
	}
	if o := Read("sh", nested); slices.Contains(o.Programs, "cc") || !o.Parsed {
		t.Errorf("scripts in scripts have no end: %q", o.Programs)
	}
}

// Whatever a script is: reading it ends, each name is there once, none is empty, and twice gives the same.
func FuzzRead(f *testing.F) {
	for _, s := range []string{"cc -c a.c", "env -S 'a b' c", "f() { sh -c 'x \"$@\"'; }", "cat <<X\n$(a)\nX", "a \\\nb", "xargs -I{} -n 1 b", "eval \"a 'b'\"", "timeout"} {
		f.Add("sh", s)
		f.Add("zsh", s)
	}
	f.Fuzz(func(t *testing.T, shell, text string) {
		o := Read(shell, text)
		if len(slices.Compact(slices.Sorted(slices.Values(o.Programs)))) != len(o.Programs) || slices.Contains(o.Programs, "") {
			t.Errorf("programs %q", o.Programs)
		}
		if !o.Parsed && (o.Arguments || len(o.Programs) > 0) {
			t.Errorf("knows %v of what it could not read", o)
		}
		again := Read(shell, text)
		if !slices.Equal(o.Programs, again.Programs) || o.Arguments != again.Arguments {
			t.Errorf("%v, then %v", o, again)
		}
		Programs(strings.Fields(text))
	})
}

// What is read without the parser is as the parser has it.
func FuzzQuick(f *testing.F) {
	for _, s := range []string{"cc -c a.c", "mkdir -p out && cat src/*.txt > out/all.txt\nwc -l < out/all.txt 2>&1 | tee 'x y'\n", "A=1 B=$C make; # no\n\nx", "a ||\n b", "eval 'a b'", "a \"b c\"d >f",
		"env A=1 cc", "1>a 2>&1 b", "a 12>b", "a=b", "sh -c 'cc a'", "trap 'rm x' EXIT", ">a", "a && # c\nb", "timeout $t cc", "\"\" a", "x''y z", "a>b;c<d|e>>f", "if", "a #b", "a#b", "3 >x", "a b=c", "-x", "a\n;b", "exec >log"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > 2000 {
			return
		}
		for _, shell := range []string{"sh", "bash", "ksh"} {
			q := finder{lang: dialects[shell][0]}
			if !q.quick(text) {
				continue
			}
			full := finder{lang: dialects[shell][0]}
			file, err := parse(full.lang, text)
			if err != nil {
				t.Fatalf("%s: %q was read, but: %v", shell, text, err)
			}
			full.script(file)
			if got, want := q.of(), full.of(); !slices.Equal(got.Programs, want.Programs) || !slices.Equal(got.Asked, want.Asked) || got.Arguments != want.Arguments {
				t.Errorf("%s: %q: %v, want %v", shell, text, got, want)
			}
		}
	})
}

// Plain scripts are read without the parser, which is a matter of time alone.
func TestQuick(t *testing.T) {
	for text, want := range map[string]bool{
		"cc -c a.c": true, "mkdir -p out && cat src/*.txt > out/all.txt\nwc -l < out/all.txt 2>&1 | tee 'x y'": true, "A=$B cc # no": true,
		"cc $1": false, "$(cc)": false, "if a; then b; fi": false, "f() { a; }": false, "a &": false, "a <<X\nX": false, "(a)": false,
	} {
		if got := (&finder{}).quick(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	for name, text := range map[string]string{
		"plain": "mkdir -p out && cat src/*.txt > out/all.txt\nwc -l < out/all.txt > out/count.txt",
		"other": "mkdir -p out && cat src/*.txt > out/all.txt\nwc -l < out/all.txt > out/$(uname)",
	} {
		b.Run("script="+name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				Read("sh", text)
			}
		})
	}
}
