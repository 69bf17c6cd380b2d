package node

import (
	"testing"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/workspace/infer"
)

// The ranges of npm, as its own library answers them.
func TestRanges(t *testing.T) {
	for _, tc := range []struct {
		text     string
		yes, not string
	}{
		{"^1.2.0", "1.9.3", "2.0.0"},
		{"^0.2.3", "0.2.9", "0.3.0"},
		{"^0.0.3", "0.0.3", "0.0.4"},
		{"^0.x", "0.9.0", "1.0.0"},
		{"~1.2", "1.2.9", "1.3.0"},
		{"~1", "1.9.0", "2.0.0"},
		{"1.x", "1.4.0", "2.0.0"},
		{"1", "1.4.0", "2.0.0"},
		{"=1.0.0", "1.0.0", "1.0.1"},
		{"v1.0.0", "1.0.0", "1.0.1"},
		{"1.0.0", "1.0.0+build", "1.0.0-rc.1"},
		{">=1.0.0 <2.0.0", "1.5.0", "2.0.0"},
		{">= 1.0.0 < 2", "1.5.0", "2.0.0"},
		{"1.2 - 2.3", "2.3.9", "2.4.0"},
		{"^1 || ^3", "3.1.0", "2.1.0"},
		{"^1||^3", "1.1.0", "4.0.0"},
		{">1.2", "1.3.0", "1.2.9"},
		{"<=2.x", "2.9.0", "3.0.0"},
		{"*", "1.0.0", "1.0.0-rc.1"},
		{"^1.0.0", "1.1.0", "1.1.0-rc.1"},
		{"^1.0.0-rc.1", "1.0.0-rc.2", "1.1.0-rc.1"},
		{">=1.0.0-0", "1.0.0-alpha", "0.9.0"},
		{"~1.2.3-beta.2", "1.2.3-beta.4", "1.2.4-beta.2"},
	} {
		l := newLinker(&packages{settings: settings{manager: classic}}, nil)
		if c := l.constraint(tc.text); c == nil || !c.MatchVersion(l.version(tc.yes)) || c.MatchVersion(l.version(tc.not)) {
			t.Errorf("%s: %v; %s is to meet it, %s is not", tc.text, c, tc.yes, tc.not)
		}
	}
	l := newLinker(&packages{}, nil)
	for _, text := range []string{"latest", "user/repo", "1.2.3.4", "packages/a", "^"} {
		if c := l.constraint(text); c != nil && c.MatchVersion(l.version("1.0.0")) {
			t.Errorf("%s is a range: %v", text, c)
		}
	}
}

func FuzzRange(f *testing.F) {
	f.Add("^1.0.0 || 2 - 3", "1.0.0-rc.1")
	f.Fuzz(func(_ *testing.T, text, version string) {
		l := newLinker(&packages{}, infer.NewDisk(fsys.Memory()))
		if c, v := l.constraint(text), l.version(version); c != nil && v != nil {
			c.MatchVersion(v)
		}
		l.meet(text, version)
		l.workspace("/", text, version)
	})
}

// FuzzParse: no text of a package.json makes the reader fall.
func FuzzParse(f *testing.F) {
	f.Add(`{"name":"a","workspaces":{"packages":["p/*","!q"],"catalog":{"b":"^1"}},"dependencies":{"b":"catalog:"},"pnpm":{"overrides":{"a>b@1":"workspace:*"}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		m, mistakes := parse("/", infer.NewText("/package.json", text))
		if m == nil && !mistakes.HasErrors() {
			t.Error("nothing is read and nothing is wrong")
		}
		for _, d := range mistakes {
			if d.Place.Line < 1 || d.Place.Column < 1 {
				t.Errorf("no place: %+v", d)
			}
		}
		if m == nil {
			return
		}
		w := &packages{settings: settings{overrides: m.overrides, catalogs: m.catalogs, ranges: true}, root: m}
		w.add(m)
		for _, e := range w.edges(t.Context(), infer.NewDisk(fsys.Memory())) {
			t.Errorf("one package uses itself: %+v", e)
		}
	})
}
