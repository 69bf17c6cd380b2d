package state

import (
	"errors"
	"io"
	"os"
	"sync"

	"github.com/haz-build/haz/fsys"
)

// probe is a file that is written to only to learn what time the file system has.
type probe struct {
	mu     sync.Mutex
	f      probeFile
	broken bool // do not try again
}

type probeFile interface {
	io.WriterAt
	io.Closer
	Info() (fsys.Info, error)
}

const probeName = "probe"

// Stamp is the time of the file system now, in nanoseconds, by the mtime of a file just written: what S-26 calls
// recorded-at when it is taken before the content is read. 0 when the file system does not tell.
func (s *State) Stamp() int64 { return s.Clock().MTime }

// Clock is what the stat of a file just written says: the time of the file system (as Stamp has it) and its device.
func (s *State) Clock() fsys.Info {
	p := &s.probe
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broken {
		return fsys.Info{}
	}
	if p.f == nil {
		err := s.home.inDir(func(d fsys.FS) error {
			f, err := d.OpenFile("/"+probeName, os.O_RDWR|os.O_CREATE, filePerm)
			if err != nil {
				return err
			}
			var ok bool
			if p.f, ok = f.(probeFile); !ok {
				_ = f.Close()
				return errors.ErrUnsupported
			}
			return nil
		})
		if err != nil {
			return s.probeFailed(err)
		}
	}
	if _, err := p.f.WriteAt([]byte{0}, 0); err != nil {
		return s.probeFailed(err)
	}
	info, err := p.f.Info()
	if err != nil {
		return s.probeFailed(err)
	}
	return info
}

func (s *State) probeFailed(err error) fsys.Info {
	s.probe.broken = true
	s.note(couldNotWrite, probeName, err)
	return fsys.Info{}
}

func (p *probe) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.f != nil {
		_ = p.f.Close()
		p.f = nil
	}
}
