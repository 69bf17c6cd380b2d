package workspace

import (
	"errors"
	"slices"
	"strings"
	"testing"
)

// ID-001 … ID-004, chapter 1, section 6.
func TestCheckName(t *testing.T) {
	long := strings.Repeat("a", NameMax)
	for _, c := range []struct {
		name, rule, mentions string
	}{
		{"a", "", ""}, {"9a", "", ""}, {"1", "", ""}, {"default", "", ""}, {"A-b_C9", "", ""}, {"a-", "", ""}, {"a_", "", ""}, {"null", "", ""}, {long, "", ""},
		{"a b", "ID-001", `" "`}, {"a.b", "ID-001", `"."`}, {"a:b", "ID-001", `":"`}, {"é", "ID-001", `"é"`}, {"a\x00", "ID-001", `"\u{0}"`}, {"a/b", "ID-001", `"/"`},
		{"a\xff", "ID-001", `"\xff"`},
		{"_x", "ID-002", `"_"`}, {"-x", "ID-002", `"-"`},
		{"", "ID-003", "1 to 64"}, {long + "a", "ID-003", "at most 64 bytes, and this one has 65"},
	} {
		checkNameError(t, c.name, CheckName(c.name), c.rule, c.mentions)
	}
	for _, c := range []struct{ name, rule, mentions string }{
		{"sh", "", ""}, {"pwsh-7", "", ""}, {long[:32], "", ""},
		{long[:33], "ID-003", "at most 32 bytes"}, {"/bin/sh", "ID-001", `"/"`}, {"", "ID-003", "1 to 32"},
	} {
		checkNameError(t, c.name, CheckShellName(c.name), c.rule, c.mentions)
	}
}

// Names of projects and tasks have parts.
func TestCheckPartedName(t *testing.T) {
	long := strings.Repeat("a", NameMax)
	parts := "@" + strings.Repeat("a/", 106) + "a" // 214 bytes
	for _, c := range []struct {
		name, project, task, mentions string // the rule that it breaks as either
	}{
		{"a", "", "", ""}, {"@acme/ui", "", "", ""}, {"lodash.merge", "", "", ""}, {"github.com/x/y/v2", "", "", ""}, {"@1", "", "", ""}, {"a@b", "", "", ""}, {"a/-b", "", "", ""},
		{"a/.b", "", "", ""}, {"a..b", "", "", ""}, {"a/@b", "", "", ""}, {long, "", "", ""}, {parts, "", "", ""},
		{"build:prod", "ID-001", "", `":"`}, {"a:b/c", "ID-001", "", `":"`}, {"a:.b", "ID-001", "", `":"`},
		{"a b", "ID-001", "ID-001", `" "`}, {"a*", "ID-001", "ID-001", `"*"`}, {"a\x00", "ID-001", "ID-001", `"\u{0}"`}, {"é", "ID-001", "ID-001", `"é"`}, {" a", "ID-001", "ID-001", `" "`},
		{"a\n", "ID-001", "ID-001", `"\n"`}, {"a?", "ID-001", "ID-001", `"?"`}, {"a\u202eb", "ID-001", "ID-001", "202"}, {"a\\b", "ID-001", "ID-001", `\\`}, {"^a", "ID-001", "ID-001", `"^"`}, {"~", "ID-001", "ID-001", `"~"`},
		{"-x", "ID-002", "ID-002", `"-"`}, {"_x", "ID-002", "ID-002", `"_"`}, {".x", "ID-002", "ID-002", `"."`}, {"@", "ID-002", "ID-002", "letter"}, {"@-x", "ID-002", "ID-002", `"-"`},
		{"@@x", "ID-002", "ID-002", `"@"`}, {"@/x", "ID-002", "ID-002", `"/"`}, {".", "ID-002", "ID-002", `"."`}, {"..", "ID-002", "ID-002", `"."`},
		{"/a", "ID-002", "ID-002", "nothing beside it"}, {"a/", "ID-002", "ID-002", "nothing beside it"}, {"a//b", "ID-002", "ID-002", "nothing beside it"}, {"/", "ID-002", "ID-002", `"/"`},
		{"a/../b", "ID-002", "ID-002", `".."`}, {"a/.", "ID-002", "ID-002", `"."`}, {"a/...", "ID-002", "ID-002", `"..."`},
		{":a", "ID-001", "ID-002", `":"`}, {"a:", "ID-001", "ID-002", `":"`}, {"a::b", "ID-001", "ID-002", `":"`}, {"a:..", "ID-001", "ID-002", ""},
		{"", "ID-003", "ID-003", "1 to 64"}, {long + "a", "ID-003", "ID-003", "at most 64 bytes, and this one has 65"},
		{parts + "a", "ID-003", "ID-003", "at most 214 bytes, and this one has 215"}, {strings.Repeat("/a", 1<<20), "ID-002", "ID-002", "nothing"},
	} {
		checkNameError(t, c.name, CheckProjectName(c.name), c.project, c.mentions)
		checkNameError(t, c.name, CheckFamilyName(c.name), c.task, c.mentions)
		if c.task == "" {
			checkNameError(t, c.name, CheckTaskName(c.name+"[node=22]"), "", "")
		}
	}
}

func TestCheckEnvName(t *testing.T) {
	long := strings.Repeat("A", EnvNameMax)
	for _, name := range []string{"PATH", "_", "a1", "lower_case", long} {
		if err := CheckEnvName(name); err != nil {
			t.Errorf("%q: %v", name, err)
		}
	}
	for name, mentions := range map[string]string{
		"": "empty", "1A": "digit", "A-B": `"-"`, "A=B": `"="`, "A*": `"*"`, "É": `"É"`, "A B": `" "`, long + "A": "at most 256 bytes",
	} {
		err := CheckEnvName(name)
		if err == nil || !strings.Contains(err.Error(), mentions) {
			t.Errorf("%q: got %v, want a mention of %s", name, err, mentions)
		}
	}
}

func checkNameError(t *testing.T, name string, err error, rule, mentions string) {
	t.Helper()
	var e *NameError
	switch {
	case rule == "" && err != nil:
		t.Errorf("%q: %v", name, err)
	case rule == "":
	case !errors.As(err, &e):
		t.Errorf("%q: got %v, want %s", name, err, rule)
	case e.Rule != rule || !strings.Contains(err.Error(), mentions) || !strings.Contains(err.Error(), rule):
		t.Errorf("%q: got %s %q, want %s with a mention of %s", name, e.Rule, err, rule, mentions)
	case e.Offset < 0 || e.Offset+e.Length > len(name):
		t.Errorf("%q: place %d+%d is outside", name, e.Offset, e.Length)
	}
}

// A name that passes is what the rules say, and nothing that they say is refused.
func FuzzNames(f *testing.F) {
	for _, s := range []string{"", "a", "_x", "a b", "\xff", "@a/b.c:d", "a/../b", "a//b", "@", strings.Repeat("z", 65)} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		const first = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
		want := len(s) >= 1 && len(s) <= 64 && strings.Trim(s, first+"_-") == "" && strings.IndexByte(first, s[0]) >= 0 &&
			strings.IndexFunc(s, func(r rune) bool { return !strings.ContainsRune(first+"_-", r) }) < 0
		if err := CheckName(s); (err == nil) != want {
			t.Errorf("%q: %v", s, err)
		}
		for separators, check := range map[string]func(string) error{"/": CheckProjectName, "/:": CheckFamilyName} {
			parts := strings.FieldsFunc(s, func(r rune) bool { return strings.ContainsRune(separators, r) })
			most, name := 64, strings.TrimPrefix(s, "@")
			if strings.ContainsAny(s, separators) {
				most = 214
			}
			want := name != "" && len(s) <= most && strings.IndexByte(first, name[0]) >= 0 && len(parts) == 1+strings.Count(s, "/")+strings.Count(s, ":") &&
				strings.IndexFunc(s, func(r rune) bool { return !strings.ContainsRune(first+"_-.@"+separators, r) }) < 0 &&
				!slices.ContainsFunc(parts, func(part string) bool { return strings.Trim(part, ".") == "" })
			if err := check(s); (err == nil) != want {
				t.Errorf("%q with %s: %v", s, separators, err)
			}
		}
		if err := CheckEnvName(s); err != nil && err.Error() == "" {
			t.Errorf("%q: an error without text", s)
		}
	})
}
