package actors

import (
	"fmt"
	"runtime/debug"
)

// panicked is what a call into the host, or into a defect of haz, panicked with.
type panicked struct {
	reason string
	stack  string
}

func (p *panicked) String() string { return p.reason }

// caught calls f and returns its panic; nil when there was none. Whatever a host hands us may panic, and a panic that nobody
// recovers ends the host.
func caught(f func()) (p *panicked) {
	defer func() {
		if v := recover(); v != nil {
			p = whatPanicked(v)
		}
	}()
	f()
	return nil
}

// whatPanicked describes a recovered value. One that was carried here from another goroutine has its own stack.
func whatPanicked(v any) *panicked {
	p := &panicked{reason: fmt.Sprint(v), stack: string(debug.Stack())}
	if c, ok := v.(interface{ Stack() []byte }); ok {
		p.stack = string(c.Stack())
	}
	return p
}
