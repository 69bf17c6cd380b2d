package actors

import "sync"

// pool starts a run's workers and the lane of its actors, and is the dispatcher of those that are not in it: with goroutines that are
// used again. Each piece of work in a new one would begin on the smallest stack, and copy it several times on its way down; that was a
// tenth of what a run with nothing to do costs. Nobody waits for a free goroutine: where none is idle, a new one is made.
type pool struct {
	mu     sync.Mutex
	idle   []chan func() // the one that ran last is the last
	closed bool
}

const (
	// maxIdle is how many goroutines are kept while there is nothing to do.
	maxIdle = 64
	// throughput is how many messages an actor takes in one turn; the library's own default.
	throughput = 300
)

// Schedule runs f in a goroutine.
func (p *pool) Schedule(f func()) {
	p.mu.Lock()
	n := len(p.idle)
	if n == 0 {
		p.mu.Unlock()
		go p.work(make(chan func(), 1), f)
		return
	}
	next := p.idle[n-1]
	p.idle = p.idle[:n-1]
	p.mu.Unlock()
	next <- f
}

// Throughput makes pool an actor.Dispatcher.
func (p *pool) Throughput() int { return throughput }

func (p *pool) work(mine chan func(), f func()) {
	for f != nil {
		f()
		if !p.park(mine) {
			return
		}
		f = <-mine
	}
}

// park is false when the goroutine is not needed any more.
func (p *pool) park(mine chan func()) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.closed || len(p.idle) >= maxIdle {
		return false
	}
	p.idle = append(p.idle, mine)
	return true
}

// close lets the goroutines end, now or after what they are at.
func (p *pool) close() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.closed = true
	for _, c := range p.idle {
		c <- nil
	}
	p.idle = nil
}
