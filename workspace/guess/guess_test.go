package guess

import (
	"context"
	"os"
	"path"
	"testing"

	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/fsys/tree"
	"github.com/haz-build/haz/pattern"
	"github.com/haz-build/haz/workspace"
)

// treeOf is a guesser on a tree in memory; a name that ends in "/" is a folder.
func treeOf(t *testing.T, names ...string) Guesser {
	t.Helper()
	mem := memfs.New()
	for _, name := range names {
		dir := path.Dir(name)
		if name[len(name)-1] == '/' {
			dir = path.Clean(name)
		}
		if err := mem.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
		if name[len(name)-1] == '/' {
			continue
		}
		f, err := mem.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o644)
		if err != nil {
			t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return Guesser{FS: mem, Tree: tree.New(mem)}
}

func declared(t *testing.T, dir, text string) workspace.PatternDecl {
	t.Helper()
	p, err := pattern.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return workspace.PatternDecl{Text: text, Pattern: p.Anchor(dir)}
}

func TestMeant(t *testing.T) {
	g := treeOf(t, "/p/src/main.c", "/p/src/util/u.c", "/p/src/util/readme.md", "/p/build/x.txt", "/p/empty/", "/p/Docs/a.md",
		"/p/web/a.test.ts", "/p/pages/[id]/index.tsx", "/libs/core/src/a.c", "/libs/core/tsconfig.json", "/p/haz.yml", "/p/x.txt")
	for _, c := range []struct{ dir, text, absent, meant string }{
		{"/p", "scr/**/*.c", "/p/scr", "src/**/*.c"},
		{"/p", "biuld/**", "/p/biuld", "build/**"},
		{"/p", "src/utli/*.c", "/p/src/utli", "src/util/*.c"},
		{"/p", "scr/utli/*.c", "/p/scr", "src/util/*.c"},
		{"/p", "docs/*.md", "/p/docs", "Docs/*.md"},
		{"/p", "src/mian.c", "/p/src/mian.c", "src/main.c"},
		{"/p", "src/*.cc", "", "src/*.c"},
		{"/p", "src/**/*.mdd", "", "src/**/*.md"},
		{"/p", "web/*.tests.ts", "", "web/*.test.ts"},
		{"/p", "/lib/core/src/**", "/lib", "/libs/core/src/**"},
		{"/p", "/libs/*/scr/**", "", ""}, // what could be below a wildcard is not searched
		{"/p", "/libs/**/tsconfg.json", "", "/libs/**/tsconfig.json"},
		{"/p", "page/**", "/p/page", "pages/**"},
		{"/p", "p/src/**", "/p/p", "src/**"},
		{"/p", "libs/core/src/**", "/p/libs", "/libs/core/src/**"},
		{"/p", "/src/**", "/src", "src/**"},
		{"/", "p/scr/*.c", "/p/scr", "p/src/*.c"},
		{"/p", `src\main.c`, "", "src/main.c"},
		{"/p", "generated/**", "/p/generated", ""},
		{"/p", "src/main.c/**", "/p/src/main.c", "src/main.c"},
		{"/p", "source/**/*.c", "/p/source", "src/**/*.c"},
		{"/p", "docsrc/**", "/p/docsrc", ""},
		{"/p", "documents/**", "/p/documents", ""}, // Docs begins with another letter
		{"/p", "em/**", "/p/em", ""},               // too short to mean anything
		{"/p", "web/*.{mjs,tsx}", "", "web/*.ts"},
		{"/p", "web/*.{zig,[ab]}", "", ""},
		{"/p", "src/*.zig", "", ""},
	} {
		absent, meant := g.Meant(context.Background(), c.dir, declared(t, c.dir, c.text))
		if absent != c.absent || meant != c.meant {
			t.Errorf("%s in %s: absent %q, meant %q, want %q, %q", c.text, c.dir, absent, meant, c.absent, c.meant)
		}
	}
}

// What is proposed always selects something.
func TestUnescaped(t *testing.T) {
	g := treeOf(t, "/w/pages/[id].tsx", "/w/pages/i.tsx", "/w/app/[slug]/page.tsx", "/w/app/deep/[slug]/page.tsx", `/w/a\b.txt`,
		"/w/{x,y}.txt", "/w/x.txt", "/w/[a-c]/c.txt", "/w/[a-c]/[id].txt", "/[id]/src/a.c", "/w/plain[1].c")
	for _, c := range []struct{ dir, text, path, spelling string }{
		{"/w", "pages/[id].tsx", "/w/pages/[id].tsx", `pages/\[id].tsx`},
		{"/w", "app/[slug]/*.tsx", "/w/app/[slug]/page.tsx", `app/\[slug]/*.tsx`},
		{"/w", "app/deep/**/[slug]/page.tsx", "/w/app/deep/[slug]/page.tsx", `app/deep/**/\[slug]/page.tsx`},
		{"/w", `a\b.txt`, `/w/a\b.txt`, `a\\b.txt`},
		{"/w", "{x,y}.txt", "/w/{x,y}.txt", `\{x,y\}.txt`},
		{"/w", "[a-c]/[id].txt", "/w/[a-c]/[id].txt", `\[a-c]/\[id].txt`},
		{"/w", "[!z]*/[a-c].txt", "", ""},
		{"/w", "plain[1].c", "/w/plain[1].c", `plain\[1].c`},
		{"/w", `pages/\[id].tsx`, "", ""},
		{"/w", "pages/*.tsx", "", ""},
		{"/[id]", "src/[a-z].c", "", ""}, // glob characters of the project's folder are never read as such
	} {
		p, spelling := g.Unescaped(context.Background(), c.dir, declared(t, c.dir, c.text), nil)
		if p != c.path || spelling != c.spelling {
			t.Errorf("%s in %s: %q, spelled %q, want %q, %q", c.text, c.dir, p, spelling, c.path, c.spelling)
			continue
		}
		if spelling != "" && !declared(t, c.dir, spelling).Pattern.Match(p) {
			t.Errorf("%s does not match %s", spelling, p)
		}
	}
	if p, _ := g.Unescaped(context.Background(), "/w", declared(t, "/w", "pages/[id].tsx"), []workspace.PatternDecl{declared(t, "/w", "pages/**")}); p != "" {
		t.Errorf("%s is excluded, and missed", p)
	}
}
