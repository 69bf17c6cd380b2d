// Package looks keeps what somebody looked at on disks and what was seen there, so that later one can tell whether all of it would be
// seen again: then whatever was worked out from it, by a function of what it saw, is still right.
//
// Nobody can forget to take note of a look: a Recorder stands between the disk and who looks, and gives no more than it keeps. Of what lies
// at a name that is its kind, its permissions and, of a directory, its identity: times and sizes are not given. Of a file that
// is read and of a directory that is listed, its contents.
//
// A look is seen again when the answer is the same one. Contents need not be read for that where the stat is the one that they were
// proven to go with (Prove).
package looks

import (
	"cmp"
	"errors"
	"io/fs"
	"slices"
	"syscall"

	"github.com/haz-build/haz/fsys"
)

// Disk is one of the file systems that are looked at.
type Disk uint8

const (
	Host Disk = iota // of the machine
	Root             // of the workspace

	disks = 2
)

// Disks are the file systems themselves.
type Disks [disks]fsys.FS

// kind is how somebody looked.
type kind uint8

const (
	lstat kind = iota + 1
	stat
	readlink
	realPath
	ownPath // realPath of what whoever keeps the list makes: one that is not there is where it will be
	list
	read      // a file, of at most so many bytes
	readStart // so many bytes of a file at most

	kinds = readStart
)

// hasContents reports whether the answer is what a file or directory holds.
func (k kind) hasContents() bool { return k >= list }

// asked is a look without its answer.
type asked struct {
	name  string
	disk  Disk
	kind  kind
	limit int64 // of read and readStart
}

func (a asked) compare(o asked) int {
	return cmp.Or(cmp.Compare(a.disk, o.disk), cmp.Compare(a.name, o.name), cmp.Compare(a.kind, o.kind), cmp.Compare(a.limit, o.limit))
}

// answer is what was seen. It is comparable.
type answer struct {
	err  trouble
	info fsys.Info // of lstat and stat: what is given of it
	text string    // of readlink and realPath
	sum  sum       // of contents
}

// look is one look.
type look struct {
	asked
	answer
	// proven is the stat that goes with these contents and no others; of kind Unknown there is none.
	proven fsys.Info
}

// trouble is an error that is an answer: what lies there is something else, or nothing.
type trouble uint8

const (
	none trouble = iota
	absent
	noDirectory // something on the way is none, or the name itself
	isDirectory
	noLink
	notRegular
	outside
	denied
	loops
	tooLong

	troubles
)

var errs = [troubles]error{absent: fs.ErrNotExist, noDirectory: syscall.ENOTDIR, isDirectory: syscall.EISDIR, noLink: syscall.EINVAL,
	notRegular: fsys.ErrNotRegular, outside: fsys.ErrOutside, denied: fs.ErrPermission, loops: syscall.ELOOP, tooLong: fsys.ErrTooLong}

// troubleOf is the trouble that an error is, if it is one that says what lies there.
func troubleOf(err error) (trouble, bool) {
	if err == nil {
		return none, true
	}
	for t, known := range errs {
		if known != nil && errors.Is(err, known) {
			return trouble(t), true
		}
	}
	return none, false
}

// given is what is given of a stat, and so has to be seen again.
func given(i fsys.Info) fsys.Info {
	g := fsys.Info{Kind: i.Kind, Perm: i.Perm}
	if i.Kind == fsys.Dir {
		g.Inode, g.Dev = i.Inode, i.Dev
	}
	return g
}

// List are looks with their answers, in order, each once. The zero value has none.
type List struct {
	looks  []look
	mounts []mount // those that proven stats are of
}

// mount is a file system as it was when something on it was proven.
type mount struct {
	disk   Disk
	name   string // something on it
	volume fsys.Volume
}

// Len is how many there are.
func (l *List) Len() int { return len(l.looks) }

// Unproven is how many have contents that must be read to be compared.
func (l *List) Unproven() (n int) {
	for i := range l.looks {
		if k := &l.looks[i]; k.kind.hasContents() && k.err == none && k.proven.Kind == fsys.Unknown {
			n++
		}
	}
	return n
}

func sorted(looks map[asked]answer) []look {
	list := make([]look, 0, len(looks))
	for q, a := range looks {
		list = append(list, look{asked: q, answer: a})
	}
	slices.SortFunc(list, func(a, b look) int { return a.asked.compare(b.asked) })
	return list
}
