package uv

import (
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"pgregory.net/rapid"
)

func TestRequired(t *testing.T) {
	for text, want := range map[string]string{
		"requests": "requests", "  Foo_Bar [x,y] >= 1": "foo-bar", "a.-_b": "a-b", "A==1": "a", "x;python_version>'3'": "x", "name@file:///x": "name",
		"zope.interface>=5,<6": "zope-interface", "a-": "a", "": "", "-a": "", "(x)": "", "a1~=2": "a1",
	} {
		if got := required(text); got != want {
			t.Errorf("required(%q) is %q, want %q", text, got, want)
		}
	}
}

func TestNormalized(t *testing.T) {
	runs := regexp.MustCompile(`[-_.]+`)
	rapid.Check(t, func(t *rapid.T) {
		name := rapid.StringMatching(`[a-cA-C0-1._-]{0,8}`).Draw(t, "name")
		if got, want := normalized(name), strings.ToLower(runs.ReplaceAllString(name, "-")); got != want {
			t.Fatalf("%q is %q, want %q", name, got, want)
		}
	})
}

func TestExclusions(t *testing.T) {
	for _, tc := range []struct {
		glob, match, not string
	}{
		{"a", "a", "b a/b ab"},
		{"a/*", "a/b a/b/c a/.x a/", "a b/a"},
		{"a*b", "ab axb a/b", "abc"},
		{"**/x", "x a/x a/b/x", "ax"},
		{"a/**", "a/b a/b/c", "a"},
		{"a/**/b", "a/b a/x/b a/x/y/b", "ab"},
		{"?", "a /", "ab"},
		{"[ab]c", "ac bc", "cc c"},
		{"[!ab]c", "cc", "ac"},
		{"[]]x", "]x", "x"},
		{"[!]]x", "ax", "]x"},
		{"[a^]", "a ^", "b"},
		{`[\]`, `\`, "a"},
		{"a.b+c", "a.b+c", "aXb+c"},
	} {
		x := regexp.MustCompile(expression(tc.glob))
		for _, p := range strings.Fields(tc.match) {
			if !x.MatchString(p) {
				t.Errorf("%s does not match %s", tc.glob, p)
			}
		}
		for _, p := range strings.Fields(tc.not) {
			if x.MatchString(p) {
				t.Errorf("%s matches %s", tc.glob, p)
			}
		}
	}
}

// FuzzExpression holds globs against the simplest matcher there is.
func FuzzExpression(f *testing.F) {
	f.Add("a/*", "a/b/c")
	f.Add("**/x?", "xy")
	f.Add("[!a", "[!a")
	f.Fuzz(func(t *testing.T, glob, text string) {
		if strings.Contains(glob, "[") || len(glob) > 20 || len(text) > 20 || !utf8.ValidString(glob) || !utf8.ValidString(text) {
			t.Skip()
		}
		x, err := regexp.Compile(expression(glob))
		if err != nil {
			t.Fatal(err)
		}
		if got, want := x.MatchString(text), matches([]rune(glob), []rune(text)); got != want {
			t.Fatalf("%q of %q: %v, want %v", glob, text, got, want)
		}
	})
}

func matches(glob, text []rune) bool {
	switch {
	case len(glob) == 0:
		return len(text) == 0
	case strings.HasPrefix(string(glob), "**/"):
		if matches(glob[3:], text) {
			return true
		}
		for i, c := range text {
			if c == '/' && matches(glob[3:], text[i+1:]) {
				return true
			}
		}
		return false
	case glob[0] == '*':
		return matches(glob[1:], text) || len(text) > 0 && matches(glob, text[1:])
	case len(text) == 0:
		return false
	}
	return (glob[0] == '?' || glob[0] == text[0]) && matches(glob[1:], text[1:])
}
