package tree

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/haz-build/haz/fsys"
	"github.com/haz-build/haz/fsys/memfs"
	"github.com/haz-build/haz/pattern"
)

// state is what lies where a walk has looked.
func (s *Seen) state(fs fsys.FS) string {
	var b strings.Builder
	for _, dir := range s.Listed {
		info, err := fs.Lstat(dir)
		fmt.Fprintln(&b, "listed", dir, info.Kind, info.MTime, info.CTime, info.Inode, err != nil)
	}
	for _, dir := range s.Passed {
		info, _ := fs.Lstat(dir)
		fmt.Fprintln(&b, "passed", dir, info.Kind)
	}
	for _, path := range s.Looked {
		info, err := fs.Lstat(path)
		if info.Kind == fsys.Dir {
			info = fsys.Info{Kind: fsys.Dir}
		}
		target := fsys.Info{}
		if info.Kind == fsys.Link {
			target, _ = fs.StatInfo(path)
		}
		fmt.Fprintln(&b, "looked", path, info, target, err != nil)
		for dir := pattern.Parent(path); dir != "/"; dir = pattern.Parent(dir) {
			info, _ := fs.Lstat(dir)
			fmt.Fprintln(&b, "way", dir, info.Kind)
		}
	}
	return b.String()
}

// S-53: whatever is done to a tree, as long as what a walk has looked at is as it was, a walk finds the same.
func TestSeenIsAllThatCounts(t *testing.T) {
	ctx := context.Background()
	texts := []string{"*", "*.c", "a/*", "a/**", "**/x", "a/b", "a/b/", "b/c/x", "{a,b}/x", "b/*/x", "**/*.c", "c/", "a/b/*.c", "d/none"}
	changed, kept, odd := 0, 0, 0
	for seed := range uint64(3000) {
		random := rand.New(rand.NewPCG(seed, 7))
		mem := memfs.New()
		for range 12 {
			edit(mem, random)
		}
		parse := func(n int) (list []pattern.Pattern) {
			for range n {
				p, err := pattern.Parse(texts[random.IntN(len(texts))])
				if err != nil {
					t.Fatal(err)
				}
				list = append(list, p.Anchor("/"))
			}
			return list
		}
		patterns, exclude := parse(1+random.IntN(3)), parse(random.IntN(2))
		remembered := New(mem)
		if random.IntN(2) == 0 { // listings that another walk has read
			_, _, _ = remembered.Inputs(ctx, parse(2), nil)
		}
		var seen Seen
		was, missing, err := remembered.InputsSeen(ctx, patterns, exclude, &seen)
		if err != nil {
			continue
		}
		if seen.Odd {
			odd++
			continue
		}
		before := seen.state(mem)
		for range 6 {
			edit(mem, random)
			if seen.state(mem) != before {
				changed++
				break
			}
			kept++
			now, missingNow, err := New(mem).Inputs(ctx, patterns, exclude)
			if err != nil || !reflect.DeepEqual(now, was) || !reflect.DeepEqual(missingNow, missing) {
				t.Fatalf("seed %d: %v less %v finds %v, and found %v, though all that was looked at is as it was:\n%s", seed, patterns, exclude, now, was, before)
			}
		}
	}
	if changed < 500 || kept < 500 || odd < 20 {
		t.Errorf("%d trees were changed where it counts, %d where it does not, %d walks were odd", changed, kept, odd)
	}
}

// edit does one thing to a small tree.
func edit(mem *memfs.FS, random *rand.Rand) {
	names := []string{"a", "b", "c", "x", "x.c"}
	path := ""
	for range 1 + random.IntN(3) {
		path += "/" + names[random.IntN(len(names))]
	}
	switch random.IntN(8) {
	case 0, 1, 2:
		_ = mem.MkdirAll(pattern.Parent(path), 0o755)
		if f, err := mem.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o644); err == nil {
			_, _ = f.Write([]byte(path))
			_ = f.Close()
		}
	case 3, 4:
		_ = mem.MkdirAll(path, 0o755)
	case 5:
		_ = mem.RemoveAll(path)
	case 6:
		_ = mem.Rename(path, "/"+names[random.IntN(len(names))])
	case 7:
		_ = mem.MkdirAll(pattern.Parent(path), 0o755)
		_ = mem.Symlink(names[random.IntN(len(names))], path)
	}
}
