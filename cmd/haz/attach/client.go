package attach

import (
	"fmt"
	"net"
	"slices"
	"time"

	"github.com/haz-build/haz/fsys"
)

// Found is a run that answers.
type Found struct {
	Hello Hello
	State State // zero where it speaks another protocol
	name  string
}

// List asks all runs of a folder who they are, oldest first. What dead ones have left is removed.
func List(dir fsys.FS) []Found {
	var found []Found
	for _, name := range sockets(dir) {
		c, dead, err := dial(dir, name)
		if dead {
			bury(dir, name)
		}
		if err != nil {
			continue
		}
		f := Found{name: name}
		if v, err := greet(c); err == nil {
			f.Hello = v.hello
			if f.Hello.Protocol != Protocol {
				// All that it says of itself is who it is.
			} else if a, err := v.ask(Request{Do: Look}); err == nil && a.State != nil {
				f.State = *a.State
			}
		}
		_ = c.Close()
		if f.Hello.PID > 0 {
			found = append(found, f)
		}
	}
	slices.SortStableFunc(found, func(a, b Found) int { return a.Hello.Since.Compare(b.Hello.Since) })
	return found
}

// Visit is a conversation with a run.
type Visit struct {
	hello Hello
	conn  net.Conn
	in    *reader
}

// A ProtocolError says that a run is of a haz that speaks another language.
type ProtocolError struct{ Hello Hello }

func (e *ProtocolError) Error() string {
	return fmt.Sprintf("the run is of haz %s, which speaks protocol %d, and this one speaks %d", e.Hello.Haz, e.Hello.Protocol, Protocol)
}

// Open begins a conversation with a run.
func (f Found) Open(dir fsys.FS) (*Visit, error) {
	c, _, err := dial(dir, f.name)
	if err != nil {
		return nil, err
	}
	v, err := greet(c)
	if err == nil && v.hello.Protocol != Protocol {
		err = &ProtocolError{v.hello}
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return v, nil
}

// Kind is what it is with: run or watch.
func (v *Visit) Kind() string { return v.hello.Kind }

// greet hears who is there.
func greet(c net.Conn) (*Visit, error) {
	v := &Visit{conn: c, in: newReader(c, maxLine)}
	_ = c.SetDeadline(time.Now().Add(patience))
	if err := v.in.read(&v.hello); err != nil {
		return nil, err
	}
	return v, nil
}

// ask says what is wanted, which can be done once.
func (v *Visit) ask(r Request) (a Answer, err error) {
	_ = v.conn.SetDeadline(time.Now().Add(2 * patience))
	if err = write(v.conn, r); err == nil {
		err = v.in.read(&a)
	}
	return a, err
}

// Ask asks for one thing.
func (v *Visit) Ask(r Request) (Answer, error) { return v.ask(r) }

// Follow calls each with what has happened and with what happens, to the end of the run, whose exit code it returns.
func (v *Visit) Follow(each func(event any)) (code int, err error) {
	if _, err := v.ask(Request{Do: Follow}); err != nil {
		return 0, err
	}
	_ = v.conn.SetDeadline(time.Time{})
	for {
		text, err := v.in.line()
		if err != nil {
			return 0, err
		}
		e, err := decode(text)
		if err != nil {
			return 0, err
		}
		if end, ok := e.(Ended); ok {
			return end.Code, nil
		}
		if e != nil {
			each(e)
		}
	}
}

// Close ends the conversation.
func (v *Visit) Close() { _ = v.conn.Close() }
