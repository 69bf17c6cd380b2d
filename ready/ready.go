// Package ready is the only door to the network: whether a service answers, which ports are free, and who holds one (EXEC-078 to EXEC-080).
//
// All of it is about this machine, but for the URL of a probe, which may name any. Nothing that is opened outlives the call.
package ready

import (
	"context"
	"errors"
	"io/fs"
	"time"

	"github.com/haz-build/haz/fsys"
)

// Network is what haz asks of it. Host is the real one; tests and the simulation have scripts.
type Network interface {
	// Look is nil when a service answers, and otherwise says in a few words why it is not known to. One look takes LookMax at most. When
	// ctx ends before that, its error is returned.
	Look(ctx context.Context, p Probe) error
	// FreePort is a TCP port on which nothing of this machine listens at this moment, and that was not given in the last few minutes.
	FreePort() (int, error)
	// Taken is whether something takes connections on a port at localhost, and who it is, as far as the system tells.
	Taken(port int) (Holder, bool)
}

// LookMax is the time that one look may take. A server that computes its first answer for longer than that may have it ready at the next.
const LookMax = 5 * time.Second

// Probe is what to look at: exactly one of Port, URL and File says something.
type Probe struct {
	Port   int    // something takes connections there, at 127.0.0.1 or ::1
	URL    string // a GET of it has Status
	Status int    // of URL; 0: any from 200 to 399
	File   string // absolute path of the host, at which something lies (or where a link there leads)
}

// Holder is a process that listens.
type Holder struct {
	PID  int    // 0: not known (a process of another user, or of another machine behind a forwarded port)
	Name string // of its program: "postgres"; "": not known
}

// Host asks the machine that haz runs on.
type Host struct{}

var _ Network = Host{}

// Look implements Network.
func (Host) Look(ctx context.Context, p Probe) error {
	within, cancel := context.WithTimeout(ctx, LookMax)
	defer cancel()
	var err error
	switch {
	case p.URL != "":
		err = lookURL(within, p.URL, p.Status)
	case p.File != "":
		err = lookFile(p.File)
	default:
		err = lookPort(within, p.Port)
	}
	if err != nil && ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}

func lookFile(name string) error {
	_, err := fsys.Machine().StatInfo(name)
	var p *fs.PathError
	switch {
	case err == nil:
		return nil
	case errors.Is(err, fs.ErrNotExist):
		return errors.New("file " + name + " is not there")
	case errors.As(err, &p):
		return errors.New("file " + name + ": " + p.Err.Error())
	}
	return err
}
