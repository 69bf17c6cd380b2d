package haz

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// quotation is a piece of Go in a document: the file that it comes from, the declarations, and the text.
var quotation = regexp.MustCompile("(?s)<!-- (\\S+\\.go): ([^>]+) -->\n```go\n(.*?)```\n")

// The Go in the documents for hosts is that of examples, which tests run: go test -run TestQuotations -update .
func TestQuotations(t *testing.T) {
	for doc, atLeast := range map[string]int{"embedding.md": 3, "fault-injection.md": 3} {
		name := filepath.Join("docs", doc)
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		text := string(b)
		if n := strings.Count(text, "```go\n"); n != len(quotation.FindAllString(text, -1)) || n < atLeast {
			t.Errorf("%s has %d pieces of Go, of which %d say where they come from", name, n, len(quotation.FindAllString(text, -1)))
		}
		want := quotation.ReplaceAllStringFunc(text, func(piece string) string {
			m := quotation.FindStringSubmatch(piece)
			return fmt.Sprintf("<!-- %s: %s -->\n```go\n%s```\n", m[1], m[2], declarations(t, filepath.Join("docs", m[1]), strings.Fields(m[2])))
		})
		if *update {
			if err := os.WriteFile(name, []byte(want), 0o644); err != nil {
				t.Fatal(err)
			}
		} else if diff := cmp.Diff(want, text); diff != "" {
			t.Errorf("%s does not quote its examples (-update rewrites it):\n%s", name, diff)
		}
	}
}

// declarations are the texts of functions and types of a file, comments included.
func declarations(t *testing.T, file string, names []string) string {
	t.Helper()
	src, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	f, err := parser.ParseFile(fset, file, src, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var parts []string
	for _, decl := range f.Decls {
		name, doc := "", (*ast.CommentGroup)(nil)
		switch d := decl.(type) {
		case *ast.FuncDecl:
			name, doc = d.Name.Name, d.Doc
		case *ast.GenDecl:
			if s, ok := d.Specs[0].(*ast.TypeSpec); ok {
				name, doc = s.Name.Name, d.Doc
			}
		}
		if !slices.Contains(names, name) {
			continue
		}
		from := decl.Pos()
		if doc != nil {
			from = doc.Pos()
		}
		parts = append(parts, string(src[fset.Position(from).Offset:fset.Position(decl.End()).Offset])+"\n")
	}
	if len(parts) < len(names) {
		t.Errorf("%s lacks one of %q", file, names)
	}
	return strings.Join(parts, "\n")
}

// docs/embedding.md lists the modules that an import of package haz brings along: no other, and each of them.
func TestForeignModules(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	foreign := strings.Fields(string(out))
	slices.Sort(foreign)
	foreign = slices.DeleteFunc(slices.Compact(foreign), func(m string) bool { return m == module })
	text, err := os.ReadFile("docs/embedding.md")
	if err != nil {
		t.Fatal(err)
	}
	_, listed, _ := strings.Cut(string(text), "## What comes along")
	listed, _, _ = strings.Cut(listed, "\n## ")
	if head := fmt.Sprintf("brings %d modules of others", len(foreign)); !strings.Contains(listed, head) {
		t.Errorf("docs/embedding.md does not say %q", head)
	}
	var named []string
	for _, m := range regexp.MustCompile("`([a-z.]+\\.[a-z]+/[^`]+)`").FindAllStringSubmatch(listed, -1) {
		named = append(named, m[1])
	}
	slices.Sort(named)
	if diff := cmp.Diff(foreign, named); diff != "" {
		t.Errorf("docs/embedding.md lists other modules:\n%s", diff)
	}
}

// What is committed is text that somebody wrote or a golden file: a download that a tool left behind would be in each clone for ever.
func TestNothingBigIsTracked(t *testing.T) {
	const most = 256 << 10
	if _, err := os.Stat(".git"); err != nil {
		t.Skip("not a clone: ", err)
	}
	listed, err := exec.Command("git", "ls-files", "-z").Output()
	if err != nil {
		t.Fatal(err)
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(listed), "\x00"), "\x00") {
		switch info, err := os.Lstat(name); {
		case errors.Is(err, fs.ErrNotExist): // removed, and not yet committed
		case err != nil:
			t.Error(err)
		case info.Size() > most:
			t.Errorf("%s has %d bytes: more than %d are not kept here", name, info.Size(), most)
		}
	}
}
