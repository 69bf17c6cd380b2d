package config

import (
	"fmt"
	"strings"
)

// ManualTable prints the table of a map for the reference manual: "workspace", "cache", "task" and so on. In the manual it
// stands between the lines `<!-- keys: NAME -->` and `<!-- end -->`.
func ManualTable(name string) (string, error) {
	o := findObject(name)
	if o == nil {
		return "", fmt.Errorf("there is no map %q", name)
	}
	var b strings.Builder
	b.WriteString("| Key | Accepts | Default | Meaning | Rule |\n|---|---|---|---|---|\n")
	for _, f := range o.Fields {
		accepts := f.Accepts
		if accepts == "" {
			accepts = "a map, see below"
		}
		def := f.Default
		switch {
		case f.Required:
			def = "**required**"
		case def == "":
			def = "-"
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s | %s | %s |\n", f.Key, cell(accepts), cell(def), cell(f.Doc), rules(f))
	}
	return b.String(), nil
}

func rules(f Field) string {
	if f.KeyRule != "" {
		return f.Rule + ", " + f.KeyRule
	}
	return f.Rule
}

// cell keeps a text in its column.
func cell(s string) string { return strings.ReplaceAll(s, "|", `\|`) }

func findObject(name string) *Object {
	var found *Object
	var visit func(*Object)
	visit = func(o *Object) {
		if o == nil || found != nil {
			return
		}
		if o.Name == name {
			found = o
			return
		}
		for _, f := range o.Fields {
			visit(f.Type.Object)
		}
	}
	for _, k := range []fileKind{workspaceKind, projectKind, overlayKind} {
		visit(k.object)
	}
	return found
}
