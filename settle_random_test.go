package haz_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	haz "github.com/haz-build/haz"
	"github.com/haz-build/haz/messages"
)

// TestSettledAgreesWithTheLongWay edits a workspace at random, runs parts of it in between, and lets time stand still or go back, on clocks as fine and as coarse
// as there are: whatever is found up to date before a run is up to date on the long way, with the same answer.
func TestSettledAgreesWithTheLongWay(t *testing.T) {
	t.Parallel()
	base := standingWorld(t)
	seeds := uint64(150)
	if testing.Short() {
		seeds = 40
	}
	some, all := 0, 0
	for seed := range seeds {
		random := rand.New(rand.NewPCG(seed, 11))
		w := base.copied(t)
		w.mem.SetGranularity([]time.Duration{1, 1, 10 * time.Millisecond, time.Second, 2 * time.Second}[random.IntN(5)])
		w.mem.SetStep([]time.Duration{0, time.Microsecond, time.Millisecond}[random.IntN(3)])
		var done []string
		for range 1 + random.IntN(4) {
			for range random.IntN(4) {
				done = append(done, w.editAtRandom(t, random))
			}
			if random.IntN(2) == 0 {
				done = append(done, "run")
				w.carryOut(t)
			}
			wait := []time.Duration{0, time.Millisecond, time.Second, 3 * time.Second, time.Minute, 10 * time.Minute, -time.Minute}[random.IntN(7)]
			done = append(done, fmt.Sprint("wait ", wait))
			w.mem.Advance(wait)
		}
		found := w.found(t)
		if some += len(found); len(found) == 5 {
			all++
		}
		before := w.infos(t)
		w.options = append(w.options, haz.WithoutShortcuts())
		for _, o := range w.carryOut(t).Outcomes {
			hit, settled := found[o.Task.String()]
			if !settled {
				continue
			}
			key, _, p := hit.Result()
			if o.Source != messages.FromCache || key != o.Key || p.OutputsDigest != o.OutputsDigest || p.StdoutDigest != o.StdoutDigest || p.StderrDigest != o.StderrDigest {
				t.Errorf("seed %d: %s was up to date, and is not on the long way: %+v\n%s", seed, o.Task, o, strings.Join(done, "\n"))
			}
			for _, out := range o.Outputs {
				if info, err := w.fs.Lstat(out.Path); err != nil || !info.Same(before[out.Path]) {
					t.Errorf("seed %d: %s of %s had to be written again\n%s", seed, out.Path, o.Task, strings.Join(done, "\n"))
				}
			}
		}
	}
	if some < int(seeds)/2 || all < 3 {
		t.Errorf("%d tasks were up to date, all of them %d times", some, all)
	}
}

// found is what is up to date before a run.
func (w *world) found(t *testing.T) map[string]haz.Hit {
	t.Helper()
	ws := w.open(t)
	plan, err := ws.Plan(targetsOf(t, ws))
	must(t, err)
	return haz.SettledIn(context.Background(), ws, plan, haz.RunOptions{})
}

// carryOut is run without what that checks.
func (w *world) carryOut(t *testing.T) *haz.Result {
	t.Helper()
	ws := w.open(t)
	r, err := ws.Run(context.Background(), targetsOf(t, ws), haz.RunOptions{})
	must(t, err)
	return r
}

// editAtRandom does one thing to the workspace, and says what.
func (w *world) editAtRandom(t *testing.T, random *rand.Rand) string {
	t.Helper()
	files := []string{"/lib/src/a.c", "/lib/src/b.c", "/lib/src/c.c", "/lib/conf", "/app/main.c", "/app/real", "/doc/text", "/doc/page", "/lib/out/lib.o", "/app/out/sub/app", "/lib/cfg/none/a.h"}
	folders := []string{"/lib/src", "/lib/cfg", "/lib/out", "/app/out/sub", "/app/out", "/doc"}
	file, folder := files[random.IntN(len(files))], folders[random.IntN(len(folders))]
	switch random.IntN(9) {
	case 0, 1, 2:
		text := string(rune('a'+random.IntN(3))) + "\n"
		w.write(t, file, text)
		return "write " + file + " " + text
	case 3:
		_ = w.fs.Chmod(file, 0o600)
		return "chmod " + file
	case 4:
		_ = w.fs.RemoveAll(file)
		return "rm " + file
	case 5:
		_ = w.fs.Rename(folder, folder+".was")
		_ = w.fs.Rename(folder+".was", folder)
		return "move away and back " + folder
	case 6:
		_ = w.fs.Remove("/app/link")
		_ = w.fs.Symlink([]string{"real", "main.c", "none"}[random.IntN(3)], "/app/link")
		return "link"
	case 7:
		var entries []string
		for _, e := range w.entries(t) {
			if strings.Count(e, "/") == 4 {
				entries = append(entries, e)
			}
		}
		if slices.Sort(entries); len(entries) > 0 {
			entry := entries[random.IntN(len(entries))]
			w.remove(t, entry)
			return "rm " + entry
		}
	case 8:
		name := "/.haz/state/" + []string{"standing", "produced.log", "index", "keys.log"}[random.IntN(4)]
		if info, err := w.fs.Lstat(name); err == nil {
			w.truncate(t, name, random.Int64N(info.Size+1))
			return "truncate " + name
		}
	}
	return "nothing"
}
