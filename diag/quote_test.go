package diag

import (
	"os/exec"
	"testing"
)

func TestShellWord(t *testing.T) {
	for _, c := range [][2]string{
		{"", "''"}, {"/a/b-c_d.e", "/a/b-c_d.e"}, {"2026:t@x%1,2+3", "2026:t@x%1,2+3"}, {"a b", "'a b'"}, {"it's", `'it'\''s'`}, {"~/x", "'~/x'"}, {"$x", "'$x'"}, {"é", "'é'"}, {"a\nb", `$'a\012b'`},
		{"it's\n", `$'it\'s\012'`}, {`a\b` + "\t1", `$'a\\b\0111'`}, {"x\xff\u202e y", `$'x\377\342\200\256 y'`}, {"\ufffd", "$'\ufffd'"},
	} {
		if got := ShellWord(c[0]); got != c[1] {
			t.Errorf("%q: %s, want %s", c[0], got, c[1])
		}
	}
}

// A shell makes of a word what it was made from.
func TestShellWordIsRead(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		t.Skip("no bash")
	}
	for _, want := range []string{"a\nb", "it's\n\\'", "\x01\x7f\xff1", "é\u200b\u2028 $x `y` \"z\"", "plain", "a b"} {
		got, err := exec.Command(bash, "-c", "printf %s "+ShellWord(want)).Output()
		if err != nil || string(got) != want {
			t.Errorf("%q, spelled %s: %q, %v", want, ShellWord(want), got, err)
		}
	}
}
