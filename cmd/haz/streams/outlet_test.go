//go:build linux

package streams

import (
	"bytes"
	"errors"
	"io"
	"os"
	"syscall"
	"testing"
	"time"

	"github.com/creack/pty"
	"golang.org/x/sys/unix"
)

// reader is the far end of a stream that an outlet writes to.
type reader struct {
	name string
	far  *os.File
	near *os.File
}

// readers makes one of each kind; the near end of each is non-blocking when asked for.
func readers(t *testing.T, nonBlocking bool) []reader {
	t.Helper()
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	rs := []reader{{"pipe", r, w}}
	pair, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	rs = append(rs, reader{"socket", os.NewFile(uintptr(pair[0]), "socket"), os.NewFile(uintptr(pair[1]), "socket")})
	if ours, its, err := pty.Open(); err == nil {
		raw, _ := unix.IoctlGetTermios(int(its.Fd()), unix.TCGETS)
		raw.Oflag &^= unix.OPOST
		_ = unix.IoctlSetTermios(int(its.Fd()), unix.TCSETS, raw)
		rs = append(rs, reader{"terminal", ours, its})
	}
	for _, x := range rs {
		// Fd makes the file blocking, for all who share it.
		if err := unix.SetNonblock(int(x.near.Fd()), nonBlocking); err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { x.near.Close(); x.far.Close() })
	}
	return rs
}

// Every byte arrives however slowly it is read, also when somebody made the stream non-blocking.
func TestNothingIsLostOnTheWayOut(t *testing.T) {
	text := bytes.Repeat([]byte("0123456789abcdef\n"), 30_000)
	for _, nonBlocking := range []bool{false, true} {
		for _, x := range readers(t, nonBlocking) {
			t.Run(x.name, func(t *testing.T) {
				o := newOutlet(x.near, &Patience{})
				if nonBlocking {
					_ = unix.SetNonblock(int(x.near.Fd()), true)
				}
				done := make(chan error, 1)
				go func() {
					_, err := o.Write(text)
					done <- err
				}()
				got := make([]byte, len(text))
				if _, err := io.ReadFull(x.far, got); err != nil {
					t.Fatal(err)
				}
				if err := <-done; err != nil || !bytes.Equal(got, text) {
					t.Errorf("error %v, equal %v", err, bytes.Equal(got, text))
				}
			})
		}
	}
}

// A reader that stands still is waited for without end, and after a signal only for a moment.
func TestReaderThatStandsStill(t *testing.T) {
	for _, x := range readers(t, false) {
		t.Run(x.name, func(t *testing.T) {
			p := &Patience{}
			o := newOutlet(x.near, p)
			done := make(chan error, 1)
			go func() {
				_, err := o.Write(make([]byte, 10<<20))
				done <- err
			}()
			select {
			case err := <-done:
				t.Fatalf("given up without a signal: %v", err)
			case <-time.After(2*stuckFor + 4*glance):
			}
			p.End(time.Hour)
			select {
			case err := <-done:
				if !errors.Is(err, errStuck) || !p.HasDropped() {
					t.Errorf("%v, dropped %v", err, p.HasDropped())
				}
			case <-time.After(20 * time.Second):
				t.Fatal("still waiting")
			}
		})
	}
}

// Who reads slowly is not given up before the grace is over.
func TestSlowReaderAfterASignal(t *testing.T) {
	p := &Patience{}
	p.End(time.Hour)
	if p.over(time.Now()) {
		t.Error("given up at once")
	}
	q := &Patience{}
	q.End(0)
	q.deadline = time.Now().Add(-time.Second)
	if !q.over(time.Now()) {
		t.Error("not given up after the grace")
	}
	if new(Patience).over(time.Time{}) {
		t.Error("given up without a signal")
	}
}

// A reader that is gone is an error at once.
func TestReaderThatIsGone(t *testing.T) {
	for _, x := range readers(t, false)[:2] {
		t.Run(x.name, func(t *testing.T) {
			o := newOutlet(x.near, &Patience{})
			x.far.Close()
			if _, err := o.Write([]byte("text")); !errors.Is(err, syscall.EPIPE) {
				t.Errorf("%v", err)
			}
		})
	}
}
