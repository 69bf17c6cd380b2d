// Package cachetest helps to test what is built on package cache: trees to compare, tasks to store and restore, and
// campaigns that make every call of the file system fail once, or cut the power there. Hosts that embed haz may use it to
// try their own file systems.
package cachetest

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/haz-build/haz/fsys"
)

// A Tree is what lies in a workspace, by workspace-absolute path. Parent directories need not be listed where nothing about
// them matters; see Look and Write.
type Tree map[string]Item

// Item is one thing in a Tree.
type Item struct {
	Kind fsys.Kind
	Mode uint32 // 0 for links
	Text string // bytes of a file, text of a link
}

// File, Link and Dir make items.
func File(text string, mode uint32) Item { return Item{Kind: fsys.File, Mode: mode, Text: text} }
func Link(text string) Item              { return Item{Kind: fsys.Link, Text: text} }
func Dir(mode uint32) Item               { return Item{Kind: fsys.Dir, Mode: mode} }

// Look reads the whole file system, directories included; what lies below the directories in except is left out.
func Look(fsy fsys.FS, except ...string) (Tree, error) {
	t := Tree{}
	return t, t.add(fsy, "/", except)
}

func (t Tree) add(fsy fsys.FS, dir string, except []string) error {
	list, err := fsy.List(dir)
	if err != nil {
		return err
	}
	for _, e := range list {
		path := strings.TrimSuffix(dir, "/") + "/" + e.Name
		if slices.Contains(except, path) {
			continue
		}
		info, err := fsy.Lstat(path)
		if err != nil {
			return err
		}
		item := Item{Kind: info.Kind, Mode: info.Perm}
		switch info.Kind {
		case fsys.File:
			b, _, err := fsy.ReadFile(path, 0)
			if err != nil {
				return err
			}
			item.Text = string(b)
		case fsys.Link:
			item.Mode = 0
			if item.Text, err = fsy.Readlink(path); err != nil {
				return err
			}
		case fsys.Dir:
			if err := t.add(fsy, path, except); err != nil {
				return err
			}
		}
		t[path] = item
	}
	return nil
}

// Write makes all that the tree lists, parents with mode 0755. Whatever of it is there already is replaced.
func (t Tree) Write(fsy fsys.FS) error {
	for _, path := range t.Paths() {
		item := t[path]
		if err := fsy.MkdirAll(path[:strings.LastIndexByte(path, '/')+1], 0o755); err != nil {
			return err
		}
		if item.Kind == fsys.Dir {
			if info, err := fsy.Lstat(path); err == nil && info.Kind != fsys.Dir {
				if err := fsy.Remove(path); err != nil {
					return err
				}
			}
			if err := fsy.MkdirAll(path, 0o755); err != nil {
				return err
			}
			continue
		}
		if err := fsy.RemoveAll(path); err != nil {
			return err
		}
		if item.Kind == fsys.Link {
			if err := fsy.Symlink(item.Text, path); err != nil {
				return err
			}
			continue
		}
		if err := WriteFile(fsy, path, item.Text, item.Mode); err != nil {
			return err
		}
	}
	for _, path := range slices.Backward(t.Paths()) {
		if t[path].Kind == fsys.Dir {
			if err := fsy.Chmod(path, fsys.PermMode(t[path].Mode)); err != nil {
				return err
			}
		}
	}
	return nil
}

// WriteFile makes or empties a file and gives it bytes and mode.
func WriteFile(fsy fsys.FS, path, text string, mode uint32) error {
	f, err := fsy.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteString(text)
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err != nil {
		return err
	}
	return fsy.Chmod(path, fsys.PermMode(mode))
}

// Paths are the paths of the tree, sorted.
func (t Tree) Paths() []string {
	paths := make([]string, 0, len(t))
	for path := range t {
		paths = append(paths, path)
	}
	slices.Sort(paths)
	return paths
}

// Remove removes all that the tree lists from fsy.
func (t Tree) Remove(fsy fsys.FS) error {
	for _, path := range t.Paths() {
		if err := fsy.RemoveAll(path); err != nil {
			return err
		}
	}
	return nil
}

// Missing says, a line each, in what got differs from want at the paths that want lists; "" when in nothing.
func Missing(got, want Tree) string {
	var b strings.Builder
	for _, path := range want.Paths() {
		if g, ok := got[path]; !ok {
			fmt.Fprintf(&b, "%s: missing, want %v\n", path, want[path])
		} else if g != want[path] {
			fmt.Fprintf(&b, "%s: got %v, want %v\n", path, g, want[path])
		}
	}
	return b.String()
}

// Diff is Missing, and what got has beyond want.
func Diff(got, want Tree) string {
	s := Missing(got, want)
	for _, path := range got.Paths() {
		if _, ok := want[path]; !ok {
			s += fmt.Sprintf("%s: unexpected %v\n", path, got[path])
		}
	}
	return s
}

func (i Item) String() string {
	text := i.Text
	if len(text) > 40 {
		text = fmt.Sprintf("%s... (%d bytes)", text[:40], len(text))
	}
	switch i.Kind {
	case fsys.File:
		return fmt.Sprintf("file %#o %q", i.Mode, text)
	case fsys.Link:
		return fmt.Sprintf("link %q", text)
	case fsys.Dir:
		return fmt.Sprintf("dir %#o", i.Mode)
	}
	return fmt.Sprintf("special %#o", i.Mode)
}
