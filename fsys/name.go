package fsys

import (
	"path"
	"strings"
	"syscall"
)

// whichLink says what an operation does with a link at the end of its name.
type whichLink bool

const (
	keepsLink   whichLink = false // works on the link itself
	followsLink whichLink = true
)

// What a name may be, as in Linux.
const (
	MaxLinks   = 40   // that it leads through
	MaxSegment = 255  // bytes in one segment
	MaxPath    = 4095 // bytes in all, and in the text of a link
)

// CheckLinkText says why no link may have the text.
func CheckLinkText(text string) error {
	switch {
	case text == "":
		return syscall.ENOENT
	case len(text) > MaxPath:
		return syscall.ENAMETOOLONG
	case strings.IndexByte(text, 0) >= 0:
		return syscall.EINVAL
	}
	return nil
}

// Clean returns the one spelling of name that the file systems here use: it begins with "/", has no empty, "." or ".."
// segment and no slash at the end. ".." is taken away with the segment before it, whatever that is on disk, and never
// leads above the root. "", "." and "/" are "/". A name that is clean already is returned as it is.
func Clean(name string) string {
	if isClean(name) {
		return name
	}
	return path.Clean("/" + name)
}

func isClean(name string) bool {
	if name == "" || name[0] != '/' {
		return false
	}
	if len(name) == 1 {
		return true
	}
	start := 1 // of the segment being read
	for i := 1; ; i++ {
		if i < len(name) && name[i] != '/' {
			continue
		}
		switch i - start {
		case 0:
			return false
		case 1:
			if name[start] == '.' {
				return false
			}
		case 2:
			if name[start] == '.' && name[start+1] == '.' {
				return false
			}
		}
		if i == len(name) {
			return true
		}
		start = i + 1
	}
}

// relative is name as system calls below a root want it: "lib/a" for "/lib/a", "." for the root.
func relative(name string) string {
	if name = Clean(name); len(name) > 1 {
		return name[1:]
	}
	return "."
}

// join puts the clean name rel below the clean name dir.
func join(dir, rel string) string {
	switch {
	case dir == "/" || dir == "":
		return rel
	case rel == "/":
		return dir
	}
	return dir + rel
}

// split cuts a clean name that is not the root into its directory and its last segment.
func split(name string) (dir, base string) {
	i := len(name) - 1
	for name[i] != '/' {
		i--
	}
	if i == 0 {
		return "/", name[1:]
	}
	return name[:i], name[i+1:]
}

// below reports whether the clean path p is root or lies under it, and its name there.
func below(root, p string) (name string, ok bool) {
	switch {
	case root == "/":
		return p, true
	case p == root:
		return "/", true
	case len(p) > len(root) && p[len(root)] == '/' && p[:len(root)] == root:
		return p[len(root):], true
	}
	return "", false
}
