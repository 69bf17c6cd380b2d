package golang_test

import (
	"fmt"
	"maps"
	"math/rand/v2"
	"path"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/workspace/infer"
	"github.com/haz-build/haz/workspace/infer/golang"
	"github.com/haz-build/haz/workspace/infer/infertest"
)

// sourceTree is a workspace of nested modules, of which go.work uses all but far; far is replaced.
var sourceTree = map[string]string{
	"/go.work":        "go 1.24\nuse (\n\t./app\n\t./lib\n\t./lib/sub\n)\nreplace example.org/far => ./far\n",
	"/app/go.mod":     "module example.org/app\n",
	"/lib/go.mod":     "module example.org/lib\n",
	"/lib/sub/go.mod": "module example.org/lib/sub\n",
	"/far/go.mod":     "module example.org/far\n",
	"/app/main.go":    "package main\n",
	"/lib/lib.go":     "package lib\n",
	"/lib/sub/sub.go": "package sub\n",
	"/far/far.go":     "package far\n",
}

func find(t *testing.T, files map[string]string) infer.Found {
	disk := fsys.Memory()
	for name, text := range files {
		infertest.Put(t, disk, name[1:], text)
	}
	return infer.All(t.Context(), disk, golang.Reader{})
}

// counted is what counts of each file, and which folders have any, by a kind of sources.
func counted(sources []infer.Sources, files map[string]string) map[string]string {
	parts := map[string]string{}
	for i, s := range sources {
		for name, text := range files {
			if at := path.Dir(name); !slices.Contains(s.In, at) {
				below := false
				for ; at != "/"; at = path.Dir(at) {
					below = below || slices.Contains(s.Below, at)
				}
				if !below {
					continue
				}
			}
			if is, _ := path.Match(s.Name, path.Base(name)); !is || s.LeftOut(name) || s.LeftOut(path.Dir(name)) {
				continue
			}
			if part := s.Part(name, []byte(text)); part != "" {
				parts[fmt.Sprint(i, name)] = part
			}
			if s.Folders {
				parts[fmt.Sprint(i, path.Dir(name))] = "has some"
			}
		}
	}
	return parts
}

// haz::cfg::134: as long as what counts of the Go files is what it was, so are projects, tags and who uses whom.
func TestSourcesAreEnough(t *testing.T) {
	rng := rand.New(rand.NewPCG(5, 8))
	pick := func(of ...string) string { return of[rng.IntN(len(of))] }
	files := maps.Clone(sourceTree)
	equal, other := 0, 0
	was := find(t, files)
	for range 1000 {
		name := pick("/app", "/app/deep", "/lib", "/lib/sub", "/lib/deep", "/lib/sub/deep", "/far", "/far/deep", "/lib/testdata", "/lib/_gone") + "/" + pick("a.go", "b_test.go", "_c.go", "main.go", "lib.go", "sub.go", "far.go")
		before := counted(was.Sources, files)
		if rng.IntN(4) == 0 {
			delete(files, name)
		} else {
			of := pick("main", "p") // one of a folder, as Go wants it
			for other, text := range files {
				if _, is, found := strings.Cut(text, "package "); found && other != name && path.Dir(other) == path.Dir(name) {
					of, _, _ = strings.Cut(is, "\n")
				}
			}
			text := pick("", "", "//go:build ignore\n\n", "//go:build windows\n\n") + "package " + of + "\n"
			for range rng.IntN(3) {
				text += fmt.Sprintf("import _ %q\n", pick("fmt", "example.org/app/deep", "example.org/lib", "example.org/lib/deep", "example.org/lib/sub", "example.org/lib/sub/deep", "example.org/far", "example.org/else"))
			}
			files[name] = text + pick("", "var X int\n", "this is no Go")
		}
		after := counted(was.Sources, files)
		is := find(t, files)
		same := cmp.Equal(before, after)
		if said, says := projectsAndUses(was), projectsAndUses(is); said != says && same {
			t.Fatalf("%s: nothing that counts is another, and what is found is:\n%s\nbefore:\n%s\nnow:\n%s", name, files[name], said, says)
		}
		if same {
			equal++
		} else {
			other++
		}
		was = is
	}
	if equal < 100 || other < 100 {
		t.Errorf("%d times nothing counted and %d times something did: that tells little", equal, other)
	}
}

func projectsAndUses(f infer.Found) string {
	var b strings.Builder
	for _, p := range f.Projects {
		fmt.Fprintln(&b, p.Dir, p.Name, p.Tags)
	}
	seen := ""
	for _, e := range f.Edges {
		if line := fmt.Sprintln(e.From, "uses", e.To); line != seen {
			b.WriteString(line)
			seen = line
		}
	}
	return b.String()
}

// What people write all day counts nothing.
func TestSourcesCountLittle(t *testing.T) {
	found := find(t, sourceTree)
	before := counted(found.Sources, sourceTree)
	for _, text := range []string{
		"package main\n\nimport (\n\t\"fmt\"\n\t\"strings\"\n)\n\nfunc main() { fmt.Println(strings.ToUpper(\"x\")) }\n",
		"package main\n\nimport \"example.org/app/deep\"\n\nvar _ = deep.X\n",
		"// Command app.\npackage main\n\nimport \"example.org/library\"\n",
	} {
		files := maps.Clone(sourceTree)
		files["/app/main.go"] = text
		if diff := cmp.Diff(before, counted(found.Sources, files)); diff != "" {
			t.Errorf("%s\nchanges\n%s", text, diff)
		}
	}
}
