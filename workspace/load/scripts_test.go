package load

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"
)

// manualExample matches the files of the example in docs/workspace-files.md: the name in backquotes, then the text.
var manualExample = regexp.MustCompile("(?s)\n`([^`\n]+)`:\n\n```(?:yaml|c|text)\n(.*?)```\n")

// The examples of chapter 1 and of the manual are run by scripts of the command: their files are those of the example, neither
// more nor fewer, so that neither can drift from what is run.
func TestScriptsRunTheExamples(t *testing.T) {
	read := func(name string) []byte {
		t.Helper()
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return text
	}
	configuration := func(a *txtar.Archive) map[string]string {
		files := map[string]string{}
		for _, f := range a.Files {
			if filepath.Base(f.Name) == "haz.yml" || strings.HasPrefix(f.Name, ".haz/") {
				files[f.Name] = string(f.Data)
			}
		}
		return files
	}
	manual := &txtar.Archive{}
	for _, m := range manualExample.FindAllSubmatch(read("../../docs/workspace-files.md"), -1) {
		manual.Files = append(manual.Files, txtar.File{Name: string(m[1]), Data: m[2]})
	}
	acme := txtar.Parse(read("testdata/acme.txtar"))
	for script, example := range map[string]*txtar.Archive{"acme_example": acme, "acme_mutex": acme, "manual_example": manual} {
		ran := txtar.Parse(read("../../cmd/haz/testdata/script/" + script + ".txtar"))
		want := configuration(example)
		if len(want) < 4 {
			t.Errorf("the example of %s has %d files", script, len(want))
		}
		if diff := cmp.Diff(want, configuration(ran)); diff != "" {
			t.Errorf("%s (-example +script):\n%s", script, diff)
		}
		// What else the manual shows (sources) is there as well.
		for _, f := range example.Files {
			found := false
			for _, g := range ran.Files {
				found = found || g.Name == f.Name && string(g.Data) == string(f.Data)
			}
			if !found && script == "manual_example" {
				t.Errorf("%s does not have the manual's %s", script, f.Name)
			}
		}
	}
}
