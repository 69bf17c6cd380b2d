package node

import (
	"testing"

	"github.com/haz-build/haz/workspace/infer"
)

// What people write by hand may have comments and commas too many; package.json may not.
func TestReadJSON(t *testing.T) {
	const text = "// first\n{\"a\": [1, \"x\",], /* c\nd */ \"b\": {\"c\": true,},\n  \"b\": {\"d\": null, \"//\": \"/* none */\"}}\n// last"
	v, bad := ReadJSON(infer.NewText("/turbo.json", text))
	if bad != nil {
		t.Fatal(bad)
	}
	items, ok := v.Get("a").Items()
	if second, _ := items[1].Text(); !ok || len(items) != 2 || second != "x" || items[0].Source() != "1" {
		t.Errorf("a: %v", items)
	}
	if b := v.Get("b"); b.Get("c") != nil || b.Get("d") != nil || b.Place().Line != 4 || b.Place().Column != 8 {
		t.Errorf("the last b counts: %+v", b.Place())
	}
	if s, _ := v.Get("b").Get("//").Text(); s != "/* none */" {
		t.Errorf("a comment in a text: %q", s)
	}
	if d := v.Get("b").Mistake("a list"); d.Message != "want a list, found an object" {
		t.Error(d.Message)
	}
	for text, want := range map[string]string{
		"{\"a\": 1 /* x":    "the comment is not closed",
		"{\"a\": [1, 2}":    "want `,` or `]` behind the value, found \"}\"",
		"{} x":              "want nothing behind the value, found \"x\"",
		"{\"a\": / 1}":      "want a value, found \"/\"",
		"{\n  \"a\" 1\n}\n": "want `:` behind the key, found \"1\"",
	} {
		_, bad := ReadJSON(infer.NewText("/t.json", text))
		if bad == nil || bad.Message != "this is no JSON: "+want || bad.Place.Line == 0 {
			t.Errorf("%q: %v", text, bad)
		}
	}
	if _, bad := parse("/", infer.NewText("/package.json", "{\"name\": \"a\",}")); len(bad) != 1 {
		t.Errorf("package.json with a comma too many: %v", bad)
	}
}
