package dotenv

import (
	"fmt"
	"strings"
	"testing"

	"github.com/haz-build/haz/workspace"
)

// What lines mean (haz::cfg::046). Nothing is expanded, and no command is run.
func TestParse(t *testing.T) {
	for text, want := range map[string]string{
		"":                                  "",
		"# all\n\n   \t\n #\n":              "",
		"A=1\nB = two words  # why\nA=3":    "A=3|B=two words",
		"export A=1\nexport  B=2\nexport=3": "A=1|B=2|export=3",
		"A=\nB=''\nC=\"\"\nD= #":            "A=|B=|C=|D=",
		"A='one # \\n $x'\nB=\"a\\n\\t\\\"\\\\\\u00e9\"": "A=one # \\n $x|B=a\n\t\"\\é",
		"A=$(touch x)\nB=`id`\nC=${HOME}\nD=\"$HOME\"":   "A=$(touch x)|B=`id`|C=${HOME}|D=$HOME",
		"\ufeffA=1\r\nB=2\r\n":                           "A=1|B=2",
		"A=é=x":                                          "A=é=x",
		"A=a'b'\"c\"d":                                   "A=abcd",
		"_a1=\tx\t":                                      "_a1=x",
		"A='-----BEGIN\n\tx\n-----END'\nB=2":             "A=-----BEGIN\n\tx\n-----END|B=2",
		"A = \"{\r\n  \\\"x\\\": '1'\\n}\"  # so\r\nB=2": "A={\n  \"x\": '1'\n}|B=2",
		"A='\n# no comment\nB=\n'":                       "A=\n# no comment\nB=\n",
		"A='a\tb'\t \t\r\nB=\"c\td\"":                    "A=a\tb|B=c\td",
	} {
		vars, err := Parse([]byte(text))
		var got []string
		for _, v := range vars {
			got = append(got, v.Name+"="+v.Value)
		}
		if err != nil || strings.Join(got, "|") != want {
			t.Errorf("%q: %q, %v, want %q", text, got, err, want)
		}
	}
}

// A bad line has a place, and nothing of a value.
func TestParseErrors(t *testing.T) {
	for text, want := range map[string]string{
		"A=1\n  hunter2":        "2:3 no =",
		"=hunter2":              "1:1 empty",
		"A B=hunter2":           "1:2 only the characters",
		"é=hunter2":             "1:1 only the characters",
		"export 1A=hunter2":     "1:8 digit",
		"A.B=hunter2":           "1:2 only the characters",
		"A=\"hunter2":           "1:3 not closed",
		"A=x 'hunter2\nB=1":     "1:5 not closed",
		"A=hunter2#frag":        "1:10 begins a comment",
		"A=\"hunter\\2\"":       "1:10 double quotes",
		"A=\"\\u12\"":           "1:4 four hexadecimal",
		"A=\"\\":                "1:4 double quotes",
		"A=hun\x01ter2":         "1:6 control",
		"A=x\ty":                "1:4 control",
		"é=1":                   "1:1 only",
		"A=\"é\" \"hunter2":     "1:7 not closed",
		"A=\"\\u0000\"":         "1:3 NUL",
		"A=\xff":                "1:1 UTF-8",
		"A=\"\\ud83d hunter2\"": "1:3 cannot be read",
		"\nA='hunter2\nB=1\n":   "2:3 not closed",
		"A='it\nB='hunter2'":    "2:4 nothing but a comment",
		"A='x\ny'#":             "2:3 begins a comment",
		"A='x\n\xff'":           "2:1 UTF-8",
		"A=\"x\n\\2\"":          "2:1 double quotes",
		"A='x\ny\x01'":          "2:2 control",
	} {
		vars, err := Parse([]byte(text))
		if err == nil {
			t.Errorf("%q: %q, want an error", text, vars)
			continue
		}
		place, about, _ := strings.Cut(want, " ")
		if got := fmt.Sprintf("%d:%d", err.Line, err.Column); got != place || !strings.Contains(err.Reason, about) || strings.Contains(err.Reason, "hunter") {
			t.Errorf("%q: %s %s, want %s", text, got, err, want)
		}
	}
}

// A value of several lines is what it is with escapes in one (haz::cfg::046), and no file takes time beyond its length.
func TestSeveralLines(t *testing.T) {
	for _, value := range []string{"a\nb", "\n", "\t\n\t", "é\n\n#x\n'", "a\n" + strings.Repeat("b c\t\n", 1000)} {
		escaped := strings.NewReplacer("\n", `\n`, "\t", `\t`).Replace(value)
		for _, text := range []string{"A=\"" + value + "\"", "A=\"" + escaped + "\"", "A='" + strings.ReplaceAll(value, "'", `'"'"'`) + "'"} {
			if strings.Contains(value, "'") && strings.HasPrefix(text, "A='") {
				continue // a quote in such a value ends it
			}
			vars, err := Parse([]byte(text + "\nB=2\n"))
			if err != nil || len(vars) != 2 || vars[0].Value != value {
				t.Errorf("%q: %q, %v", text, vars, err)
			}
		}
	}
	for _, text := range []string{"A=" + strings.Repeat("\t", FileMax), "A=1" + strings.Repeat("\t", FileMax) + "x", "A='" + strings.Repeat("\t\n", FileMax/2), strings.Repeat("A='\n'\n", FileMax/6)} {
		_, _ = Parse([]byte(text))
	}
}

// FuzzParse: no text brings it down; what it reads are variables, each once.
func FuzzParse(f *testing.F) {
	for _, text := range []string{"A=1\nexport B='x'\n", "A=\"\\u00e9\\ud83d\\ude00\"", "A=#", "=", "\ufeff#", "A='\n' #\nB=\"\\n\n\"\r\n"} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		vars, err := Parse(text)
		if err != nil && (err.Line < 1 || err.Column < 1 || len(vars) > 0) {
			t.Fatalf("%+v, %v", err, vars)
		}
		seen := map[string]bool{}
		for _, v := range vars {
			if workspace.CheckEnvName(v.Name) != nil || seen[v.Name] || strings.ContainsRune(v.Name, 0) {
				t.Fatalf("%q", vars)
			}
			seen[v.Name] = true
		}
	})
}
