package moving

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/rogpeppe/go-internal/txtar"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/infer"
	"github.com/haz-build/haz/workspace/infer/infertest"
	"github.com/haz-build/haz/workspace/load"
)

// AUX-043: what is left to `infer` means what was written before: each task is carried out as it was, waits for the same, and is kept or not. Its key
// has the same files, but for the lock file, of which there is what the project reaches.
func TestInferredMeansTheSame(t *testing.T) {
	names, err := filepath.Glob("testdata/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	compared := 0
	for _, name := range names {
		tool, _, _ := strings.Cut(filepath.Base(name), "_")
		if !slices.Contains(Tools(), tool) {
			continue
		}
		t.Run(filepath.Base(name), func(t *testing.T) {
			a, err := txtar.ParseFile(name)
			if err != nil {
				t.Fatal(err)
			}
			disk, o := plant(t, a)
			short, mistakes := Read(t.Context(), disk, tool, o)
			if len(mistakes) > 0 || !strings.Contains(string(short.Files[len(short.Files)-1].Text), "infer:") {
				return
			}
			s := &source{disk: infer.NewDisk(disk), fs: disk, tracked: o.Tracked, options: o}
			for _, each := range tools {
				if each.name == tool {
					s.file = each.files[max(0, slices.IndexFunc(each.files, s.disk.Has))]
					each.read(t.Context(), s)
				}
			}
			if s.draft.infer != nil { // the reader has said it itself
				return
			}
			compared++
			long, _ := s.draft.files()
			got, want := described(t, a, short.Files), described(t, a, long)
			for id, task := range want {
				if diff := cmp.Diff(task, got[id]); diff != "" {
					t.Errorf("%s (-written +inferred):\n%s", id, diff)
				}
				delete(got, id)
			}
			for id, task := range got {
				if !strings.Contains(task, "internal") {
					t.Errorf("%s is new: %s", id, task)
				}
			}
		})
	}
	if compared < 4 {
		t.Errorf("%d workspaces were compared", compared)
	}
}

// described loads a workspace of files, and says all of its tasks that matters, by name.
func described(t *testing.T, a *txtar.Archive, files []File) map[string]string {
	t.Helper()
	disk := fsys.Memory()
	for _, f := range a.Files {
		infertest.Put(t, disk, "w/"+f.Name, string(f.Data))
	}
	for _, f := range files {
		infertest.Put(t, disk, "w"+f.Name, string(f.Text))
	}
	ws, _, err := load.Workspace(t.Context(), disk, "/w", load.Options{})
	if err != nil {
		t.Fatal(err)
	}
	refs := func(list []workspace.RefDecl) (texts []string) {
		for _, r := range list {
			texts = append(texts, r.Ref.String())
		}
		slices.Sort(texts)
		return texts
	}
	paths := func(list []workspace.PatternDecl) (texts []string) {
		for _, p := range list {
			if p.Lock == nil && !strings.Contains(p.Text, "lock") {
				texts = append(texts, p.Pattern.String())
			}
		}
		slices.Sort(texts)
		return slices.Compact(texts)
	}
	out := map[string]string{}
	for _, k := range ws.Tasks {
		var uses []string
		for _, u := range k.Project.Uses {
			uses = append(uses, u.Name)
		}
		slices.Sort(uses)
		kind := ""
		if k.Internal {
			kind = "internal" // its environment does not matter
		} else {
			kind = fmt.Sprintf("%v %v cache=%v asks=%v", k.FromHost, k.Pass, k.Cache, k.Interactive)
		}
		out[k.ID.String()] = fmt.Sprintf("%q %s\ninputs %q\nless %q\noutputs %q\ndeps %q\nuses %q", k.Argv, kind, paths(k.Inputs), paths(k.Exclude), paths(k.Outputs), refs(k.Deps), slices.Compact(uses))
	}
	return out
}
