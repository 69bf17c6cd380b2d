package load

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/config"
)

// checkedIn compares a generated file with the one that is checked in; -update writes it.
func checkedIn(t *testing.T, file string, got []byte) {
	t.Helper()
	if *update {
		if err := os.MkdirAll(filepath.Dir(file), 0o777); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(file, got, 0o666); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("%s is not what the tables say; go test ./workspace -update writes it (-want +got):\n%s", file, diff)
	}
}

// The JSON Schemas under docs/schema are those that the tables of package config give.
func TestSchemasAreCheckedIn(t *testing.T) {
	for _, name := range config.SchemaNames {
		got, err := config.JSONSchema(name)
		if err != nil {
			t.Fatal(err)
		}
		checkedIn(t, filepath.Join("..", "..", "docs", "schema", name+".schema.json"), got)
	}
	if _, err := config.JSONSchema("nope"); err == nil {
		t.Error("there is a schema for anything")
	}
}

// form checks one file as the loader does, as far as one file goes.
func form(kind, text string) diag.List {
	file := config.File{Name: "lib/haz.yml", Text: []byte(text), Rule: "DISC-008"}
	var tasks []config.Task
	var diags diag.List
	var b builder
	switch kind {
	case "workspace":
		_, diags = config.ReadWorkspace(file)
	case "project":
		p, d := config.ReadProject(file)
		tasks, diags, b.src = p.Tasks, d, p.Source
	case "overlay":
		o, d := config.ReadOverlay(file)
		tasks, diags, b.src = o.Tasks, d, o.Source
	}
	for _, t := range tasks {
		b.task(&workspace.Project{Dir: nowhere}, t, nil, "")
	}
	return slices.DeleteFunc(append(diags, b.diags...), func(d diag.Diagnostic) bool { return d.Severity != diag.Error })
}

// Loader and schema agree on testdata/corpus: files separated by lines "--- kind good" and "--- kind bad". "loose" are files
// that only the loader refuses: what a schema cannot say.
func TestSchemasAgreeWithLoader(t *testing.T) {
	schemas := map[string]any{}
	for _, name := range config.SchemaNames {
		text, err := config.JSONSchema(name)
		if err != nil {
			t.Fatal(err)
		}
		var s any
		if err := json.Unmarshal(text, &s); err != nil {
			t.Fatal(err)
		}
		schemas[name] = s
	}
	files, err := filepath.Glob("testdata/corpus/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no corpus: %v", err)
	}
	header := regexp.MustCompile(`(?m)^--- (workspace|project|overlay) (good|bad|loose)(?:: (.*))?\n`)
	counts := map[string]int{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		marks := header.FindAllSubmatchIndex(text, -1)
		for i, m := range marks {
			end := len(text)
			if i+1 < len(marks) {
				end = marks[i+1][0]
			}
			kind, verdict, doc := string(text[m[2]:m[3]]), string(text[m[4]:m[5]]), string(text[m[1]:end])
			counts[verdict]++
			value, err := config.Decode([]byte(doc))
			if err != nil {
				t.Errorf("%s: not YAML: %v\n%s", file, err, doc)
				continue
			}
			v := validator{root: schemas[kind].(map[string]any)}
			bySchema := v.check(v.root, value)
			byLoader := form(kind, doc)
			if (verdict == "good") != (len(byLoader) == 0) {
				t.Errorf("the loader finds the %s file %s:\n%s\n%s", kind, verdict, doc, byLoader.Render(diag.Style{}))
			}
			if (verdict == "bad") != (bySchema != "") {
				t.Errorf("the schema finds the %s file %s: %s\n%s", kind, verdict, bySchema, doc)
			}
		}
	}
	if counts["good"] < 20 || counts["bad"] < 60 {
		t.Errorf("the corpus is too small: %v", counts)
	}
}

// The archives of errors that are about one file's form are refused by the schema, too, and those of the example accepted.
func TestSchemasAcceptExample(t *testing.T) {
	archive, err := os.ReadFile("testdata/acme.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range txtar.Parse(archive).Files {
		kind := "project"
		switch {
		case f.Name == ".haz/workspace.yml":
			kind = "workspace"
		case strings.HasPrefix(f.Name, ".haz/tasks/"):
			kind = "overlay"
		}
		text, err := config.JSONSchema(kind)
		if err != nil {
			t.Fatal(err)
		}
		var root map[string]any
		if err := json.Unmarshal(text, &root); err != nil {
			t.Fatal(err)
		}
		value, err := config.Decode(f.Data)
		if err != nil {
			t.Fatal(err)
		}
		v := validator{root: root}
		if why := v.check(root, value); why != "" {
			t.Errorf("%s: %s", f.Name, why)
		}
	}
}

// validator checks a value against a JSON Schema. It knows the keywords that our schemas use and fails on others, so that
// none is overlooked.
type validator struct{ root map[string]any }

func (v validator) check(schema map[string]any, value any) string {
	for key, arg := range schema {
		if why := v.keyword(key, arg, schema, value); why != "" {
			return why
		}
	}
	return ""
}

func (v validator) keyword(key string, arg any, schema map[string]any, value any) string {
	object, isObject := value.(map[string]any)
	list, isList := value.([]any)
	text, isText := value.(string)
	number, isNumber := value.(float64)
	switch key {
	case "$schema", "$id", "title", "description", "definitions", "patternErrorMessage":
	case "$ref":
		return v.check(v.root["definitions"].(map[string]any)[strings.TrimPrefix(arg.(string), "#/definitions/")].(map[string]any), value)
	case "type":
		types, isSet := arg.([]any)
		if !isSet {
			types = []any{arg}
		}
		if !slices.ContainsFunc(types, func(t any) bool { return hasType(t.(string), value) }) {
			return fmt.Sprintf("%v is no %v", value, types)
		}
	case "enum":
		if !slices.Contains(arg.([]any), value) {
			return fmt.Sprintf("%v is none of %v", value, arg)
		}
	case "const":
		if arg != value {
			return fmt.Sprintf("%v is not %v", value, arg)
		}
	case "pattern":
		if isText && !regexp.MustCompile(arg.(string)).MatchString(text) {
			return fmt.Sprintf("%q does not match %s", text, arg)
		}
	case "minimum":
		if isNumber && number < arg.(float64) {
			return fmt.Sprintf("%v is below %v", number, arg)
		}
	case "maximum":
		if isNumber && number > arg.(float64) {
			return fmt.Sprintf("%v is above %v", number, arg)
		}
	case "items":
		for _, item := range list {
			if why := v.check(arg.(map[string]any), item); why != "" {
				return why
			}
		}
	case "minItems":
		if isList && float64(len(list)) < arg.(float64) {
			return "too few items"
		}
	case "uniqueItems":
		for i, a := range list {
			for _, b := range list[:i] {
				if cmp.Equal(a, b) {
					return fmt.Sprintf("%v twice", a)
				}
			}
		}
	case "required":
		for _, k := range arg.([]any) {
			if _, has := object[k.(string)]; isObject && !has {
				return fmt.Sprintf("%v is missing", k)
			}
		}
	case "properties":
		for k, s := range arg.(map[string]any) {
			if member, has := object[k]; has {
				if why := v.check(s.(map[string]any), member); why != "" {
					return k + ": " + why
				}
			}
		}
	case "additionalProperties":
		known, _ := schema["properties"].(map[string]any)
		for k, member := range object {
			if _, has := known[k]; has {
				continue
			}
			if arg == false {
				return "unknown key " + k
			}
			if why := v.check(arg.(map[string]any), member); why != "" {
				return k + ": " + why
			}
		}
	case "propertyNames":
		for k := range object {
			if why := v.check(arg.(map[string]any), k); why != "" {
				return why
			}
		}
	case "not":
		if v.check(arg.(map[string]any), value) == "" {
			return fmt.Sprintf("%v is what it must not be", value)
		}
	case "allOf", "anyOf", "oneOf":
		holds, whys := 0, []string{}
		for _, s := range arg.([]any) {
			if why := v.check(s.(map[string]any), value); why == "" {
				holds++
			} else {
				whys = append(whys, why)
			}
		}
		if key == "allOf" && len(whys) > 0 || key == "anyOf" && holds == 0 || key == "oneOf" && holds != 1 {
			return fmt.Sprintf("%s: %d hold: %s", key, holds, strings.Join(whys, "; "))
		}
	default:
		return "unknown keyword " + key
	}
	return ""
}

func hasType(name string, value any) bool {
	switch v := value.(type) {
	case nil:
		return name == "null"
	case bool:
		return name == "boolean"
	case string:
		return name == "string"
	case float64:
		return name == "number" || name == "integer" && v == float64(int64(v))
	case []any:
		return name == "array"
	case map[string]any:
		return name == "object"
	}
	return false
}

// The reference manual: its tables are those of package config, and its example loads without an error or a warning.
func TestManual(t *testing.T) {
	const file = "../../docs/workspace-files.md"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	tables := 0
	block := regexp.MustCompile(`(?s)<!-- keys: (\w+) -->\n.*?<!-- end -->`)
	got := block.ReplaceAllFunc(text, func(old []byte) []byte {
		tables++
		name := string(block.FindSubmatch(old)[1])
		table, err := config.ManualTable(name)
		if err != nil {
			t.Fatal(err)
		}
		return []byte("<!-- keys: " + name + " -->\n" + table + "<!-- end -->")
	})
	if tables != 16 {
		t.Errorf("%d tables; each map has one", tables)
	}
	checkedIn(t, file, got)

	archive := &txtar.Archive{}
	for _, m := range manualExample.FindAllSubmatch(text, -1) {
		archive.Files = append(archive.Files, txtar.File{Name: string(m[1]), Data: m[2]})
	}
	if len(archive.Files) < 5 {
		t.Fatalf("the example has %d files", len(archive.Files))
	}
	ws := load(t, string(txtar.Format(archive)))
	if len(ws.Warnings) > 0 {
		t.Errorf("warnings:\n%s", ws.Warnings.Render(diag.Style{}))
	}
	var names []string
	for _, task := range ws.Tasks {
		names = append(names, task.ID.String())
		for _, d := range task.Deps {
			if _, err := ws.Resolve(d.Ref, task.Project); err != nil {
				t.Errorf("%s: %v", d.Ref, err)
			}
		}
	}
	if want := "app:build app:lint app:test lib:build lib:lint"; strings.Join(names, " ") != want {
		t.Errorf("tasks %v, want %s", names, want)
	}
	if !bytes.Contains(text, []byte("yaml-language-server: $schema=")) {
		t.Error("the manual does not say how an editor finds the schema")
	}
}

// Manual and specification name each variable that passes by default, and no document has another list.
func TestDefaultNamesAreDocumented(t *testing.T) {
	for _, file := range []string{"../../docs/workspace-files.md", "../../docs/spec/1-workspace.md"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range workspace.PassedByDefault() {
			if name != strings.ToLower(name) && !bytes.Contains(text, []byte("`"+name+"`")) {
				t.Errorf("%s does not name %s", file, name)
			}
		}
	}
}
