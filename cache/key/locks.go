package key

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/haz-build/haz/cache/packages"
	"github.com/haz-build/haz/cache/text"
	"github.com/haz-build/haz/workspace"
	"github.com/haz-build/haz/workspace/lockfile"
)

// locks is what t has of lock files in place of their bytes (haz::cfg::114).
func (d *Deriver) locks(ctx context.Context, t *workspace.Task) (list []packages.Found, err error) {
	for _, l := range t.Locks() {
		found, err := d.o.Packages.Find(ctx, l, t.Project.Dir)
		var unreadable *packages.Error
		switch {
		case errors.As(err, &unreadable):
			return nil, &Error{Path: unreadable.File, Reason: err.Error(), Err: err}
		case err != nil:
			return nil, err
		}
		list = append(list, found)
	}
	slices.SortFunc(list, func(a, b packages.Found) int { return strings.Compare(a.Lock.File, b.Lock.File) })
	return list, nil
}

// locksAgain is the second look at lock files.
func (d *Deriver) locksAgain(ctx context.Context, t *workspace.Task, at *Derived, note func(list *[]string, path string), c *Changes, refresh bool) error {
	for i := range at.Locks {
		was := &at.Locks[i]
		now, fate, err := d.o.Packages.Again(ctx, was, t.Project.Dir)
		switch {
		case err != nil:
			return err
		case fate == packages.Moved:
			note(&c.Moved, was.Lock.File)
		case fate == packages.Rewritten && refresh:
			*was = now
		case fate == packages.Rewritten:
			note(&c.Rewritten, was.Lock.File)
		}
	}
	return nil
}

const (
	wordWhole   = "whole"
	wordReaches = "packages"

	wordPackage = "package" // of no preimage: what a line of a lock file comes to, for people
)

// writeLock writes what a key has of a lock file.
func writeLock(w *text.Writer, f *packages.Found) {
	w.Line(wordLock)
	w.Str(f.Lock.File)
	switch f.How {
	case packages.Absent:
		w.Word(wordAbsent)
		return
	case packages.Whole:
		w.Word(wordWhole)
	case packages.Reached:
		w.Word(wordReaches)
	}
	w.Digest(f.Digest)
}

// packagesTold is how many packages a difference names at most.
const packagesTold = 20

// tellPackages puts in the place of lines of a lock file what packages they came to and come to, where that is known: of those that are others.
func (d *Deriver) tellPackages(t *workspace.Task, was, now lines) {
	if d.o.Packages == nil {
		return
	}
	var told [2][]line
	merge(was[wordLock], now[wordLock], 1, func(a, b line) {
		if a == nil || b == nil || slices.Equal(a, b) || a.at(1) != wordReaches || b.at(1) != wordReaches {
			return
		}
		lists, ok := d.lists(t, a, b)
		if !ok {
			return
		}
		changes := lockfile.Diff(lists[0], lists[1])
		for i, c := range changes {
			if i == packagesTold {
				told[1] = append(told[1], line{fmt.Sprintf("… and %d more", len(changes)-i)})
				break
			}
			for side, versions := range [2][]string{c.Old, c.New} {
				if len(versions) > 0 {
					told[side] = append(told[side], line{c.Name, strings.Join(versions, ", "), fmt.Sprint(side)})
				}
			}
		}
		if len(changes) > 0 { // else it is the digest that differs, which is told
			b[2] = a[2]
		}
	})
	for _, list := range told { // of several lock files
		slices.SortStableFunc(list, func(a, b line) int { return strings.Compare(a.at(0), b.at(0)) })
	}
	was[wordPackage], now[wordPackage] = told[0], told[1]
}

// lists are what lines of one lock file are the digests of.
func (d *Deriver) lists(t *workspace.Task, was, now line) (lists [2][]lockfile.Package, ok bool) {
	for _, l := range t.Locks() {
		if l.File != was.at(0) {
			continue
		}
		for i, of := range [2]line{was, now} {
			sum, valid := parseDigest(of.at(2))
			if !valid {
				return lists, false
			}
			if lists[i], ok = d.o.Packages.List(l, t.Project.Dir, sum); !ok {
				return lists, false
			}
		}
	}
	return lists, ok
}

func packageVersions(l line) string { return l.at(1) }

func packageChanges(was, now line) []change {
	if was.at(1) == now.at(1) {
		return []change{{detail: was.at(1) + ", of another source or with another checksum"}}
	}
	return []change{{detail: was.at(1) + " -> " + now.at(1)}}
}
