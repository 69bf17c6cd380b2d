package haz

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// saidOnce are things that package fsys says for all, by how one says them anew.
var saidOnce = []struct{ says, helper string }{
	{`fs\.ErrNotExist\)[^\n]*syscall\.ENOTDIR\)|syscall\.ENOTDIR\)[^\n]*fs\.ErrNotExist\)`, "fsys.Absent"},
	{`errors\.As\(err, &(\w+)\) \{\s+err = \w+\.Err\s+\}`, "fsys.Cause"},
	{`\w+\.Rename\(te?mp, `, "fsys.ReplaceFile"},
}

// TestOneHelperEach fails on product code that says again what package fsys has a word for.
func TestOneHelperEach(t *testing.T) {
	err := filepath.WalkDir(".", func(p string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && p != "." && (notProduct(p, d.Name()) || p == "fsys"):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(p, ".go") || strings.HasSuffix(p, "_test.go"):
			return nil
		case p == "report/screen.go": // which may not import fsys: what it prints it gets from others
			return nil
		}
		text, err := os.ReadFile(p)
		if err == nil {
			for _, helper := range saidAnew(string(text)) {
				t.Errorf("%s says what %s says", p, helper)
			}
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		"if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ENOTDIR) {":           "fsys.Absent",
		"var p *fs.PathError\nif errors.As(err, &p) {\n\terr = p.Err\n}":                   "fsys.Cause",
		"if err == nil {\n\terr = host.Rename(temp, name)\n}":                              "fsys.ReplaceFile",
		"if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrClosed) {\n\treturn\n}": "",
	} {
		if got := strings.Join(saidAnew(text), " "); got != want {
			t.Errorf("%s\nsays %q, want %q", text, got, want)
		}
	}
}

func saidAnew(text string) (helpers []string) {
	for _, s := range saidOnce {
		if regexp.MustCompile(s.says).MatchString(text) {
			helpers = append(helpers, s.helper)
		}
	}
	return helpers
}
