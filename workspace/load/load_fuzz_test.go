package load

import (
	"context"
	"errors"
	"testing"

	"github.com/haz-build/haz/diag"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/workspace"
)

// FuzzLoad loads workspaces of any three files. Loading ends in a workspace or in errors that are diagnostics, never both
// sound and broken; what it gives for the graph can be resolved on without a panic; and a second time says the same.
func FuzzLoad(f *testing.F) {
	const ws, project, overlay = "projects: [/lib, \"/p/*\"]\nconcurrency: {tags: {a: 1}}\n", "name: lib\ntags: [a, b]\ntasks:\n  build:\n    command: [make]\n    inputs: [\"src/**\", a.c]\n    exclude: [src/x]\n    outputs: [\"out/*\"]\n    deps: [\"~:lint\", \"[a]:build\", \"^~:x\"]\n    mutex: {name: db, mode: shared}\n    env: {from_host: [A], override: {B: c}}\n", "tagsFilter: [a]\ntasks:\n  lint: {shell: \"true\", inputs: [haz.yml]}\n  build: {shell: x}\n"
	f.Add([]byte(ws), []byte(project), []byte(overlay))
	f.Add([]byte("projects: [/, ../x, /lib, /lib, \"/**\"]"), []byte("name: [\n"), []byte("tagsFilter: []\ntasks: {lint: }"))
	f.Add([]byte("projects: [\"/{lib,p/q}\"]\n"), []byte("name: a\ntasks: {t: &x {shell: a, inputs: [\"*\"], exclude: [a], outputs: [haz.yml, /.haz/x]}, u: *x}\n"), []byte("tasks: {t: {command: [\"\"]}, v: {<<: {shell: y}}}\n"))
	f.Fuzz(func(t *testing.T, workspaceFile, projectFile, overlayFile []byte) {
		host := memfs.New()
		for _, dir := range []string{"/ws/.haz/tasks", "/ws/lib", "/ws/p/q"} {
			if err := host.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
		}
		for name, text := range map[string][]byte{
			".haz/workspace.yml": workspaceFile, "lib/haz.yml": projectFile, ".haz/tasks/o.yml": overlayFile, ".haz/tasks/p.yml": overlayFile,
			"p/q/haz.yml": []byte("name: q\ntags: [a]\ntasks: {x: {shell: \"\"}}\n"),
		} {
			file, err := host.Create("/ws/" + name)
			if err != nil {
				t.Fatal(err)
			}
			_, _ = file.Write(text)
			_ = file.Close()
		}
		var said [2]string
		for i := range said {
			w, fs, err := Workspace(context.Background(), host, "/ws", Options{})
			var list *diag.Errors
			switch {
			case err == nil:
				said[i] = w.Warnings.Render(diag.Style{})
				_ = fs.Close()
			case errors.As(err, &list):
				said[i] = list.Error()
			default:
				t.Fatalf("%T: %v", err, err)
			}
			if (err == nil) == (fs == nil) {
				t.Fatalf("error %v and file system %v", err, fs)
			}
			if w == nil {
				continue
			}
			for at, task := range w.Tasks {
				if task.Index != at || w.Task(task.ID) == nil || err == nil && w.Task(task.ID) != task {
					t.Errorf("task %s at %d says %d", task.ID, at, task.Index)
				}
				for _, d := range append(append([]workspace.RefDecl(nil), task.Deps...), task.WeakDeps...) {
					if selected, err := w.Resolve(d.Ref, task.Project); err == nil && len(selected) == 0 && list == nil {
						t.Errorf("%s selects nothing, and that is no error", d.Ref)
					}
				}
			}
		}
		if said[0] != said[1] {
			t.Errorf("first:\n%s\nthen:\n%s", said[0], said[1])
		}
	})
}
