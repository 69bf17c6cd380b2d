package git

import (
	"context"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func (r *repo) wantAbsent(want ...Absent) {
	r.t.Helper()
	got := NotCheckedOut(context.Background(), Options{Root: r.dir, StartedIn: r.dir, Env: r.env, Mode: WorkTree})
	if diff := cmp.Diff(want, got); diff != "" {
		r.t.Errorf("not checked out (-want +got):\n%s", diff)
	}
}

func TestNotCheckedOut(t *testing.T) {
	r := newRepo(t)
	r.commit("ws/a/haz.yml", "ws/b/haz.yml", "ws/b c/haz.yml", "ws/b/src.c", "ws/old.yml", "other/haz.yml", "haz.yml")
	const text = "content of ws/b/haz.yml\n"
	ws := r.at("ws")
	r.remove("ws/b")
	ws.wantAbsent() // somebody has removed it

	r.git("checkout", "-q", "--", ".")
	r.git("sparse-checkout", "set", "--no-cone", "/ws/a/", "/ws/old.yml")
	add := "git -C " + r.dir + " sparse-checkout add "
	spaced := Absent{Dir: "/b c", Text: "content of ws/b c/haz.yml\n", Add: add + "'ws/b c'"}
	ws.wantAbsent(spaced, Absent{Dir: "/b", Text: text, Add: add + "ws/b"})
	r.wantAbsent(Absent{Dir: "/other", Text: "content of other/haz.yml\n", Add: "git sparse-checkout add other"},
		Absent{Dir: "/ws/b c", Text: spaced.Text, Add: "git sparse-checkout add 'ws/b c'"},
		Absent{Dir: "/ws/b", Text: text, Add: "git sparse-checkout add ws/b"})

	r.write("ws/b/haz.yml", "by hand") // what is there is there, whatever git thinks
	ws.wantAbsent(spaced)
	r.remove("ws/b")
	without := &repo{t: t, dir: ws.dir, env: []string{"PATH=/nowhere"}}
	without.wantAbsent()
	r.git("sparse-checkout", "disable")
	r.remove("ws/b")
	ws.wantAbsent()
}

// A linked work tree has a sparse checkout of its own, and a partial clone does not have what it never checked out.
func TestNotCheckedOutElsewhere(t *testing.T) {
	r := newRepo(t)
	r.commit("a/haz.yml", "b/haz.yml")
	r.git("config", "uploadpack.allowFilter", "true")
	r.git("worktree", "add", "-q", "--no-checkout", "linked")
	linked := r.at("linked")
	linked.git("sparse-checkout", "set", "--cone", "a")
	linked.git("checkout", "-q")
	linked.wantAbsent(Absent{Dir: "/b", Text: "content of b/haz.yml\n", Add: "git sparse-checkout add b"})
	r.wantAbsent()

	r.git("clone", "-q", "--filter=blob:none", "--no-checkout", "file://"+r.dir, "partial")
	partial := r.at("partial")
	partial.git("sparse-checkout", "set", "--cone", "a")
	partial.git("checkout", "-q")
	if _, err := os.Stat(partial.dir + "/b"); err == nil {
		t.Fatal("b was checked out")
	}
	partial.wantAbsent(Absent{Dir: "/b", Add: "git sparse-checkout add b"})
}
