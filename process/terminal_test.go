//go:build linux

package process_test

import (
	"errors"
	"io"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/haz-build/haz/process"
	"github.com/haz-build/haz/process/processtest"
)

// A process with a terminal for its output: it sees one, of the width that was said, and its bytes come as it wrote them.
func TestTTY(t *testing.T) {
	t.Parallel()
	s := open(t, quick)
	c := shell("/", `for fd in 0 1 2; do test -t $fd && printf "$fd "; done; stty size <&1; printf 'a\nb\r\n' >&2; printf c`)
	c.TTY, c.Columns = true, 132
	e, out := run(t, s, c)
	if want := "1 2 24 132\na\nb\r\nc"; out != want || e.Code != 0 || e.Incomplete != "" {
		t.Errorf("%q, want %q, exit %+v", out, want, e)
	}
	// Nobody types: the terminal is not that of the session, so that who asks there is told at once.
	c = shell("/", `exec 2>&1; cat </dev/tty; cat; echo end`)
	c.TTY = true
	if e, out := run(t, s, c); !strings.HasSuffix(out, "end\n") || e.Code != 0 {
		t.Errorf("%q, %+v", out, e)
	}
}

// All that a spawner owes its callers goes for a process with a terminal too, but for which stream it was.
func TestConformTTY(t *testing.T) {
	t.Parallel()
	s := open(t, quick)
	const size = 3_000_000
	c := shell("/", "head -c 3000000 /dev/zero | tr '\\0' 'x'; (sleep 300) & echo; exit 7")
	c.TTY = true
	e, out := run(t, s, c)
	if len(out) != size+1 || e.Code != 7 || len(e.Killed) != 1 {
		t.Errorf("%d bytes, exit %+v", len(out), e)
	}
	for _, end := range []struct {
		by   func(process.Process)
		want int
	}{{process.Interrupt, 2}, {process.Process.Terminate, 15}, {process.Process.Kill, 9}} {
		c := shell("/", "echo ready; exec sleep 300")
		c.TTY = true
		p, r := start(t, s, c)
		r.Await(t, process.Stdout, "ready\n")
		end.by(p)
		if e := p.Wait(); e.Signal != end.want || !e.Cancelled {
			t.Errorf("exit %+v, want signal %d", e, end.want)
		}
	}
}

// person is a terminal at which somebody sits.
type person struct {
	typed  *io.PipeReader
	keys   *io.PipeWriter
	mu     sync.Mutex
	seen   strings.Builder
	back   int
	refuse error
}

func newPerson() *person {
	p := &person{}
	p.typed, p.keys = io.Pipe()
	return p
}

func (p *person) Lend(resize func(columns, rows int)) (process.Lent, error) {
	resize(100, 30)
	return p, p.refuse
}

func (p *person) Read(b []byte) (int, error) { return p.typed.Read(b) }

func (p *person) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen.Write(b)
}

func (p *person) Return() {
	p.mu.Lock()
	p.back++
	p.mu.Unlock()
	p.typed.Close()
}

func (p *person) screen() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.seen.String()
}

// A process that is lent a terminal reads what is typed there, is in the foreground of it, and writes to nobody else.
func TestLentTerminal(t *testing.T) {
	t.Parallel()
	s := open(t, quick)
	who := newPerson()
	c := shell("/", `stty -echo; stty size; set -- $(cut -d' ' -f5,8 /proc/$$/stat); test $1 = $2 && echo foreground
		for fd in 0 1 2; do test -t $fd && printf "$fd "; done; echo ask; read x; echo "got $x"; read y </dev/tty; echo "and $y"; exit 4`)
	c.Terminal = who
	r := processtest.NewTape()
	p, err := s.Start(c, r)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "it asks", func() bool { return strings.Contains(who.screen(), "ask") })
	io.WriteString(who.keys, "one\n")
	eventually(t, "it goes on", func() bool { return strings.Contains(who.screen(), "got one") })
	io.WriteString(who.keys, "two\r")
	e := p.Wait()
	if want := "30 100\r\nforeground\r\n0 1 2 ask\r\ngot one\r\nand two\r\n"; who.screen() != want || e.Code != 4 {
		t.Errorf("%q, want %q, exit %+v", who.screen(), want, e)
	}
	if r.Text(process.Stdout) != "" || who.back != 1 {
		t.Errorf("a sink got %q; given back %d times", r.Text(process.Stdout), who.back)
	}
}

// A key that sends a signal sends it to the process, which has ended by itself then.
func TestKeysOfALentTerminal(t *testing.T) {
	t.Parallel()
	s := open(t, quick)
	who := newPerson()
	c := shell("/", "echo ready; exec sleep 300")
	c.Terminal = who
	p, err := s.Start(c, nil)
	if err != nil {
		t.Fatal(err)
	}
	eventually(t, "it is ready", func() bool { return strings.Contains(who.screen(), "ready") })
	io.WriteString(who.keys, "\x03")
	if e := p.Wait(); e.Signal != int(syscall.SIGINT) || e.Cancelled {
		t.Errorf("exit %+v", e)
	}
}

// Whatever keeps a process from starting, the terminal is given back; one that is not lent keeps it from starting.
func TestTerminalOfNothing(t *testing.T) {
	t.Parallel()
	s := open(t, quick)
	dir := t.TempDir()
	write(t, dir+"/crlf", "#!/bin/sh\r\n", 0o755)
	who := newPerson()
	if _, err := s.Start(process.Command{Dir: dir, Argv: []string{"./crlf"}, Terminal: who}, nil); err == nil || who.back != 1 {
		t.Errorf("%v; given back %d times", err, who.back)
	}
	who = newPerson()
	who.refuse = errors.New("it is somebody else's")
	_, err := s.Start(process.Command{Dir: "/", Argv: []string{"true"}, Terminal: who}, nil)
	if err == nil || !strings.Contains(err.Error(), "somebody else") || who.back != 0 {
		t.Errorf("%v; given back %d times", err, who.back)
	}
}
