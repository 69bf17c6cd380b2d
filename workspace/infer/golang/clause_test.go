package golang

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

var plainSources = []string{
	"package a\n",
	"package main",
	"\ufeffpackage main\r\n\r\nimport \"fmt\"\r\n",
	"// Copyright of somebody.\n\n/* and more\n*/\n//go:build linux && !ignore\n\n// Package a is ä.\npackage a // here\n\nimport \"fmt\" // for this\nimport b \"example.com/b\"\n\nfunc f() {}\n",
	"package a\n\nimport (\n\t\"context\"\n\n\t// two\n\t. \"example.com/b/v2\"\n\t_ \"example.com/c.d/~e+f\"\n)\ntype t int\n",
	"package a\nimport ()\nimport (\n)\nvar x = `",
	"//go:build ignore\n\npackage main\n\nimport \"fmt\"\n",
	"//go:build ignore || !ignore\n\npackage main\n",
	"  //go:build !x || (ignore && y)\n\npackage main\n",
}

var otherSources = []string{
	"", "package", "package 1", "package func\n", "package a; import \"b\"\n", "package ä\n", "package aä\n", "package a import \"b\"\n", "package a /* b */\n", "x package a\n", "#!/bin/x\npackage a\n",
	"package a\nimport `b`\n", "package a\nimport \"b\\x41\"\n", "package a\nimport \"\"\n", "package a\nimport \"b\n", "package a\nimport (\"b\")\n", "package a\nimport (\n\"b\"\n", "package a\nimport b\n",
	"package a\nimport func \"b\"\n", "package a\nimport\n\"b\"\n", "package a\nimport \"b\" \"c\"\n", "package a\nimport \"b c\"\n", "package a\nimport 'b'\n", "package a\nimport \"ä\"\n", "package a\n}\n", "package a\n7\n",
	"// \x00\npackage a\n", "// \xff\npackage a\n", "// \ufeff\npackage a\n", "package a\nfunc\x00", "package a\nvarä", "package a\nimport \"b\" /* c */\n", "package a\nimport \"b\"; import \"c\"\n", "/* \npackage a\n", "/\npackage a\n", "/", "//line x:0\npackage a\n", "package a\n/*line x:y*/\n",
	"//go:build x\ry\npackage a\n", "package a\n// " + strings.Repeat("\xff\n// ", 12) + "\nimport \"b\"\n", "package a\nimport in\u00e4 \"b\"\n",
}

// TestClausesPlain: what gofmt writes needs no library, and what is written otherwise, or wrongly, is left to it.
func TestClausesPlain(t *testing.T) {
	for _, text := range plainSources {
		var c clauses
		if is := c.plain([]byte(text), true); is == unlike {
			t.Errorf("the library has to read\n%s", text)
		}
		clausesAsLibrary(t, text)
	}
	for _, text := range otherSources {
		var c clauses
		if is := c.plain([]byte(text), true); is != unlike {
			t.Errorf("not plain, but read as %+v:\n%s", c, text)
		}
		clausesAsLibrary(t, text)
	}
}

// TestClausesOfGo: of what stands in the library of Go, nearly all is read plainly, and in the first bytes.
func TestClausesOfGo(t *testing.T) {
	root, err := exec.Command("go", "env", "GOROOT").Output()
	if err != nil {
		t.Skip("there is no go command")
	}
	var names []string
	for _, dir := range []string{"net/http", "go/parser", "runtime", "os", "syscall", "time", "cmd/go/internal/load", "testing"} {
		found, _ := filepath.Glob(filepath.Join(strings.TrimSpace(string(root)), "src", dir, "*.go"))
		names = append(names, found...)
	}
	if len(names) < 500 {
		t.Skip("the source of Go is not there")
	}
	plain := 0
	for _, name := range names {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		clausesAsLibrary(t, string(text))
		var c clauses
		if is := c.read(text[:min(len(text), headMax)], len(text) <= headMax); is != cut && is != unlike {
			plain++
		}
	}
	if plain < len(names)*95/100 {
		t.Errorf("of %d files %d are read plainly", len(names), plain)
	}
}

// clausesAsLibrary: whatever is read of a file, or of its beginning, without the library, the library reads in the same way.
func clausesAsLibrary(t *testing.T, text string) {
	t.Helper()
	var want clauses
	all := words(&want, want.library([]byte(text)))
	var c clauses
	if got := words(&c, c.read([]byte(text), true)); got != all {
		t.Fatalf("got  %s\nwant %s\nof %q", got, all, text)
	}
	for n := 0; n < len(text); n += 1 + n/50 {
		is := c.read([]byte(text[:n]), false)
		if got := words(&c, is); is != cut && got != all {
			t.Fatalf("got  %s\nwant %s\nof the first %d bytes of %q", got, all, n, text)
		}
	}
}

func words(c *clauses, is extent) string {
	if is == none {
		return "none"
	}
	text := fmt.Sprint(is, c.program)
	for _, i := range c.imports {
		text += fmt.Sprintf(" %s@%d-%d", i.path, i.at.start, i.at.end)
	}
	return text
}

func FuzzClauses(f *testing.F) {
	for _, text := range plainSources {
		f.Add(text)
	}
	for _, text := range otherSources {
		f.Add(text)
	}
	f.Fuzz(clausesAsLibrary)
}
