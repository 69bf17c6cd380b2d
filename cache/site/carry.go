package site

import (
	"fmt"
	"runtime/debug"
	"sync"
)

// Carrier takes a panic from a goroutine of ours to the one that waits for it. A panic that nobody recovers ends the whole
// program, and that is the host's: its file system, say, panics. Where the caller waits, it can be told like any other failure
// of the work (the actors make a task error of it).
type Carrier struct {
	mu    sync.Mutex
	first *carried
}

// carried is a panic of another goroutine, with the stack that it had there.
type carried struct {
	value any
	stack []byte
}

func (c *carried) String() string { return fmt.Sprint(c.value) }

// Stack is where it happened, for whoever reports the panic.
func (c *carried) Stack() []byte { return c.stack }

// Catch keeps the first panic; to be deferred.
func (c *Carrier) Catch() {
	p := recover()
	if p == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.first == nil {
		c.first = &carried{p, debug.Stack()}
	}
}

// Caught reports whether there is a panic to hand on.
func (c *Carrier) Caught() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.first != nil
}

// Rethrow panics with what was caught, in the goroutine that calls it.
func (c *Carrier) Rethrow() {
	c.mu.Lock()
	first := c.first
	c.mu.Unlock()
	if first != nil {
		panic(first)
	}
}
