package fsys_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"syscall"
	"testing"

	"github.com/haz-build/haz/fsys"
)

func TestAbsent(t *testing.T) {
	for _, tc := range []struct {
		err                  error
		absent, leadsNowhere bool
	}{
		{nil, false, false},
		{fs.ErrNotExist, true, true},
		{&fs.PathError{Op: "open", Path: "/a", Err: syscall.ENOENT}, true, true},
		{fmt.Errorf("list: %w", &fs.PathError{Op: "open", Path: "/a", Err: syscall.ENOTDIR}), true, true},
		{&fs.PathError{Op: "open", Path: "/a", Err: syscall.ELOOP}, false, true},
		{&fs.PathError{Op: "open", Path: "/a", Err: syscall.ENAMETOOLONG}, false, false},
		{&fs.PathError{Op: "open", Path: "/a", Err: syscall.EACCES}, false, false},
	} {
		if got := fsys.Absent(tc.err); got != tc.absent {
			t.Errorf("Absent(%v) = %v", tc.err, got)
		}
		if got := fsys.LeadsNowhere(tc.err); got != tc.leadsNowhere {
			t.Errorf("LeadsNowhere(%v) = %v", tc.err, got)
		}
	}
}

func TestCause(t *testing.T) {
	other := errors.New("other")
	for _, tc := range []struct{ err, want error }{
		{nil, nil},
		{other, other},
		{&fs.PathError{Op: "open", Path: "/a", Err: syscall.EACCES}, syscall.EACCES},
		{fmt.Errorf("store: %w", &os.LinkError{Op: "rename", Old: "/a", New: "/b", Err: syscall.EXDEV}), syscall.EXDEV},
	} {
		if got := fsys.Cause(tc.err); got != tc.want {
			t.Errorf("Cause(%v) = %v, want %v", tc.err, got, tc.want)
		}
	}
}
