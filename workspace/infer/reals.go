package infer

import (
	"path"
	"sync"

	"github.com/haz-build/haz/fsys"
)

// reals knows directories by name, without links. It looks at each segment once, or a few times when several ask at once. Safe for
// concurrent use; nearly always what is asked for is known.
type reals struct {
	disk  *Disk
	known sync.Map // string to string; "" for what is none
}

func newReals(d *Disk) *reals {
	r := &reals{disk: d}
	r.know("/", "/")
	return r
}

// know says what is known of a directory.
func (r *reals) know(dir, real string) { r.known.Store(dir, real) }

// of is a directory without links; "" for what is none in the workspace.
func (r *reals) of(dir string) string {
	if real, known := r.known.Load(dir); known {
		return real.(string)
	}
	real := ""
	if parent := r.of(path.Dir(dir)); parent != "" {
		real = path.Join(parent, path.Base(dir))
		switch info, err := r.disk.fs.Lstat(real); {
		case err == nil && info.Kind == fsys.Link:
			real = r.disk.RealDir(real)
		case err != nil || info.Kind != fsys.Dir:
			real = ""
		}
	} else {
		real = r.disk.RealDir(dir) // a link in what lies outside may lead in again
	}
	r.know(dir, real)
	return real
}
