package state

import (
	"errors"
	"io"
	"os"
	"sync"

	"github.com/haz-build/haz/fsys"
)

// clock is a file that is written to only to learn what time the file system has.
type clock struct {
	mu     sync.Mutex
	f      timedFile
	broken bool // do not try again
}

type timedFile interface {
	io.WriterAt
	io.Closer
	Info() (fsys.Info, error)
}

const clockName = "clock"

// Stamp is the time of the file system now, in nanoseconds, by the mtime of a file just written: what S-26 calls
// recorded-at when it is taken before the content is read. 0 when the file system does not tell.
func (s *State) Stamp() int64 { return s.Clock().MTime }

// Clock is what the stat of a file just written says: the time of the file system (as Stamp has it) and its device.
func (s *State) Clock() fsys.Info {
	p := &s.clock
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.broken {
		return fsys.Info{}
	}
	if p.f == nil {
		err := s.home.inDir(func(d fsys.FS) error {
			f, err := d.OpenFile("/"+clockName, os.O_RDWR|os.O_CREATE, filePerm)
			if err != nil {
				return err
			}
			var ok bool
			if p.f, ok = f.(timedFile); !ok {
				_ = f.Close()
				return errors.ErrUnsupported
			}
			return nil
		})
		if err != nil {
			return s.clockFailed(err)
		}
	}
	if _, err := p.f.WriteAt([]byte{0}, 0); err != nil {
		return s.clockFailed(err)
	}
	info, err := p.f.Info()
	if err != nil {
		return s.clockFailed(err)
	}
	return info
}

func (s *State) clockFailed(err error) fsys.Info {
	s.clock.broken = true
	s.note(couldNotWrite, clockName, err)
	return fsys.Info{}
}

func (p *clock) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.f != nil {
		_ = p.f.Close()
		p.f = nil
	}
}
