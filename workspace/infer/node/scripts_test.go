package node_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/workspace/infer"
	"github.com/haz-build/haz/workspace/infer/infertest"
	"github.com/haz-build/haz/workspace/infer/node"
)

// haz::cfg::111: what is no script is told where scripts are asked for, and elsewhere does not matter.
func TestOddScripts(t *testing.T) {
	disk := fsys.Memory()
	infertest.Put(t, disk, "package.json", `{"name": "a", "scripts": {"a": 1, "b": "x"}}`)
	found := node.Reader{Scripts: true}.Read(context.Background(), infer.NewDisk(disk))
	if len(found.Mistakes) != 1 || found.Mistakes[0].Message != "`scripts`: \"a\" is no text" || found.Mistakes[0].Place.Column != 27 || len(found.Projects[0].Scripts) != 1 {
		t.Errorf("%+v", found)
	}
	if found := (node.Reader{}).Read(context.Background(), infer.NewDisk(disk)); len(found.Mistakes) > 0 {
		t.Errorf("%+v", found.Mistakes)
	}
}

// haz::cfg::111: which scripts there are, and who runs them.
func TestScripts(t *testing.T) {
	const manifest = `{"name": "a", "scripts": {"b": "1", "preb": "2", "postb": "3", "prepare": "4", "pre": "5", "posts": "6", "": "7", "b": "8", "a:b": "9"}}`
	for _, c := range []struct{ files, want string }{
		{"", "npm run * -- lock /package-lock.json false a:b b posts pre prepare"},
		{"package-lock.json", "npm run * -- lock /package-lock.json true a:b b posts pre prepare"},
		{"npm-shrinkwrap.json", "npm run * -- lock /npm-shrinkwrap.json true a:b b posts pre prepare"},
		{"pnpm-lock.yaml", "pnpm run *  lock /pnpm-lock.yaml true a:b b posts pre prepare"},
		{"yarn.lock", "yarn run *  lock /yarn.lock true a:b b posts pre prepare"},
		{"bun.lock", "bun run *  lock /bun.lock true a:b b posts pre prepare"},
		{"pnpm-workspace.yaml", "pnpm run *  lock /pnpm-lock.yaml false a:b b posts pre prepare"},
	} {
		disk := fsys.Memory()
		infertest.Put(t, disk, "package.json", manifest)
		for _, f := range strings.Fields(c.files) {
			infertest.Put(t, disk, f, "")
		}
		found := node.Reader{Scripts: true}.Read(context.Background(), infer.NewDisk(disk))
		p := found.Projects[0]
		got := fmt.Sprintf("%s * %s lock %s %v", strings.Join(p.Runner.Command, " "), strings.Join(p.Runner.After, " "), found.Locks[0].File, p.Runner.Locked)
		for _, s := range p.Scripts {
			got += " " + s.Name
			if p.Text[s.Start:s.End] != `"`+s.Name+`"` {
				t.Errorf("%s: %s stands at %q", c.files, s.Name, p.Text[s.Start:s.End])
			}
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", c.files, got, c.want)
		}
		if p := (node.Reader{}).Read(context.Background(), infer.NewDisk(disk)).Projects[0]; p.Scripts != nil || p.Text != "" {
			t.Error("scripts that nobody asked for")
		}
	}
}
