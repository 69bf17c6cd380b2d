package toml_test

import (
	"fmt"
	"reflect"
	"strings"
	"testing"

	library "github.com/pelletier/go-toml/v2"

	"github.com/haz-build/haz/workspace/infer"
	"github.com/haz-build/haz/workspace/infer/toml"
)

const document = `# All forms of tables.
title = "a"
a.b.c = 'x'
a.b.d = true
inline = { x = "1", y.z = [ "p", # comment
  { q = "r" } ] }
[table]
on = false
"quoted key" = """
two
lines"""
[table.sub.deep]
n = 1
[table.sub]
k = "v"
[[list]]
k = "one"
[list.in]
x = "y"
[[list]]
k = "two"
[list.in]
x = "z"
`

func TestValues(t *testing.T) {
	text := infer.NewText("/x/y.toml", document)
	v, mistakes := toml.Parse(text)
	if len(mistakes) > 0 {
		t.Fatal(mistakes)
	}
	at := func(v *toml.Value) string {
		p := v.Place(text)
		return fmt.Sprintf("%s:%d:%d-%d:%d", p.File, p.Line, p.Column, p.EndLine, p.EndColumn)
	}
	list := v.Get("list").Items()
	for _, tc := range []struct {
		v           *toml.Value
		text, place string
	}{
		{v.Get("title"), "a", "x/y.toml:2:1-2:12"},
		{v.Get("a", "b", "c"), "x", "x/y.toml:3:5-3:12"},
		{v.Get("inline", "x"), "1", "x/y.toml:5:12-5:19"},
		{v.Get("inline", "y", "z").Items()[0], "p", "x/y.toml:5:29-5:32"},
		{v.Get("inline", "y", "z").Items()[1].Get("q"), "r", "x/y.toml:6:5-6:12"},
		{v.Get("table", "quoted key"), "two\nlines", "x/y.toml:9:1-11:9"},
		{v.Get("table", "sub", "k"), "v", "x/y.toml:15:1-15:8"},
		{list[0].Get("in", "x"), "y", "x/y.toml:19:1-19:8"},
		{list[1].Get("in", "x"), "z", "x/y.toml:23:1-23:8"},
	} {
		if got, ok := tc.v.Text(); !ok || got != tc.text {
			t.Errorf("got %q, want %q", got, tc.text)
		}
		if tc.v != nil && at(tc.v) != tc.place {
			t.Errorf("%q stands at %s, want %s", tc.text, at(tc.v), tc.place)
		}
	}
	if sub := v.Get("table", "sub"); at(sub) != "x/y.toml:14:8-14:11" || !sub.IsTable() {
		t.Errorf("table.sub at %s", at(sub))
	}
	if !v.Get("a", "b", "d").True() || v.Get("table", "on").True() || v.Get("title").True() {
		t.Error("booleans")
	}
	none := v.Get("no", "such", "key")
	if _, ok := none.Text(); ok || none.True() || none.IsTable() || none.Items() != nil {
		t.Error("no value is something")
	}
	for range none.Fields() {
		t.Error("no value has fields")
	}
	var keys []string
	for name, f := range v.Fields() {
		keys = append(keys, name+" is "+f.Kind())
	}
	if got, want := strings.Join(keys, ", "), "title is a string, a is a table, inline is a table, table is a table, list is a list of tables"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if _, ok := v.Get("table", "sub", "deep", "n").Text(); ok || v.Get("table", "sub", "deep", "n").Kind() != "a number or a time" {
		t.Error("a number")
	}
}

// TestEscapes: a string that stands there as it is, and one that does not, wherever in the file.
func TestEscapes(t *testing.T) {
	for n := range 20 {
		v, mistakes := toml.Parse(infer.NewText("/f", strings.Repeat("#", n)+"\na = \"x\\ty\"\nb = \"plain\"\n\"k\\u0065y\" = \"\"\"\\\n   long\"\"\"\n"))
		a, _ := v.Get("a").Text()
		b, _ := v.Get("b").Text()
		if c, _ := v.Get("key").Text(); a != "x\ty" || b != "plain" || c != "long" || len(mistakes) > 0 {
			t.Errorf("%q %q %q %v", a, b, c, mistakes)
		}
	}
}

func TestTexts(t *testing.T) {
	text := infer.NewText("/f", `a = ["x", 1, {}, "y", []]`+"\nb = 'c'\n")
	v, _ := toml.Parse(text)
	for _, tc := range []struct {
		v         *toml.Value
		tablesToo bool
		want      string
	}{
		{v.Get("a"), true, "x y; 1:11 want a string, found a number or a time; 1:1 want a string, found a list"},
		{v.Get("a"), false, "x y; 1:11 want a string, found a number or a time; 1:14 want a string, found a table; 1:1 want a string, found a list"},
		{v.Get("b"), false, "; 2:1 want a list of strings, found a string"},
		{v.Get("c"), false, ""},
	} {
		texts, mistakes := tc.v.Texts(text, tc.tablesToo)
		var words []string
		for _, one := range texts {
			word, _ := one.Text()
			words = append(words, word)
		}
		got := strings.Join(words, " ")
		for _, m := range mistakes {
			got += fmt.Sprintf("; %d:%d %s", m.Place.Line, m.Place.Column, m.Message)
		}
		if got != tc.want {
			t.Errorf("got %s\nwant %s", got, tc.want)
		}
	}
}

func TestMistakes(t *testing.T) {
	for text, want := range map[string]string{
		"a = 1\nb = = 2":                     "2:5 unexpected character U+003D '=' at start of value",
		"a = 1\n\n[a]":                       `3:2 key "a" is given twice`,
		"a = 1\na = 2":                       `2:1 key "a" is given twice`,
		"[t]\n[t]":                           `2:2 key "t" is given twice`,
		"[[t]]\n[t]":                         `2:2 key "t" is given twice`,
		"[t]\n[[t]]":                         `2:3 key "t" is given twice`,
		"a.b = 1\n[a]":                       `2:2 key "a" is given twice`,
		"a = {b = 1, b = 2}":                 `1:13 key "b" is given twice`,
		"a = {b = 1}\na.c = 2":               `2:1 key "a" is given twice`,
		"a = {b = 1}\n[a.c]":                 `2:2 key "a" is given twice`,
		"a = [{b = 1}, {c = 1, c = 2}]":      `1:23 key "c" is given twice`,
		"[x.y]\n[x]\ny.z = 1":                `3:1 key "y" is given twice`,
		"a = \"x":                            "1:6 unterminated basic string",
		"[a":                                 "1:2 expected ']' to close table name",
		"ok = true\nbroken":                  "2:6 expected '=' after key",
		"a = " + strings.Repeat("[", 100000): "1:",
	} {
		v, mistakes := toml.Parse(infer.NewText("/f", text))
		if len(mistakes) != 1 {
			t.Errorf("%.40q: %d mistakes", text, len(mistakes))
			continue
		}
		m := mistakes[0]
		if got := fmt.Sprintf("%d:%d %s", m.Place.Line, m.Place.Column, m.Message); !strings.HasPrefix(got, want) || m.Code != infer.RuleBroken {
			t.Errorf("%.40q: got %s, want %s", text, got, want)
		}
		if strings.HasPrefix(text, "ok") && !v.Get("ok").True() {
			t.Error("what stands before a mistake is lost")
		}
	}
}

// FuzzParse holds the values against those that the library decodes.
func FuzzParse(f *testing.F) {
	for _, seed := range []string{document, "a = 1979-05-27T07:32:00Z\n", "a=1\nb=[1,2]\n", "[a.b]\n[a]\nc.d={}\n", "[[a.b]]\n[a.b.c]\n[[a.b]]\n[a.b.c]\n", "a.b=1\n[a.c]\n", "\"\"=''\n"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		in := infer.NewText("/f", text)
		v, mistakes := toml.Parse(in)
		var want map[string]any
		err := library.Unmarshal(in.Bytes, &want)
		switch {
		case err == nil && len(mistakes) > 0:
			t.Fatalf("the library reads it, and here it is: %s", mistakes[0].Message)
		case err != nil && len(mistakes) == 0 && !hasOther(v): // what numbers and times are is not looked at
			t.Fatalf("it is read, and the library says: %v", err)
		case err == nil:
			if got, plain := plain(v), strip(want); !reflect.DeepEqual(got, plain) {
				t.Fatalf("got %v, want %v", got, plain)
			}
		}
	})
}

// plain is a value as the library decodes it, but for numbers and times.
func plain(v *toml.Value) any {
	if s, ok := v.Text(); ok {
		return s
	}
	switch v.Kind() {
	case "a boolean":
		return v.True()
	case "a table":
		m := map[string]any{}
		for name, f := range v.Fields() {
			m[name] = plain(f)
		}
		return m
	case "a list", "a list of tables":
		l := []any{}
		for _, i := range v.Items() {
			l = append(l, plain(i))
		}
		return l
	}
	return nil
}

func strip(v any) any {
	switch v := v.(type) {
	case map[string]any:
		m := map[string]any{}
		for name, f := range v {
			m[name] = strip(f)
		}
		return m
	case []any:
		l := []any{}
		for _, i := range v {
			l = append(l, strip(i))
		}
		return l
	case string, bool:
		return v
	}
	return nil
}

func hasOther(v *toml.Value) bool {
	for _, f := range v.Fields() {
		if hasOther(f) {
			return true
		}
	}
	for _, i := range v.Items() {
		if hasOther(i) {
			return true
		}
	}
	return v.Kind() == "a number or a time"
}
