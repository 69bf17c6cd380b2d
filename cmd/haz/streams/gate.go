package streams

import (
	"bytes"
	"io"
	"sync"

	"github.com/haz-build/haz/report"
)

// Gate keeps what is written to a terminal back while somebody else has the screen.
type Gate struct {
	to    [2]io.Writer
	spool report.SpoolFactory

	mu     sync.Mutex
	opened bool
	pieces []piece
	memory []byte
	file   report.Spool // what does not fit into memory; nil: there was no need
	lost   bool
}

// piece is bytes for one of the writers.
type piece struct{ to, size int }

// gateMemory is how much is kept in memory.
const gateMemory = 1 << 20

// NewGate is a gate that is shut before two writers, standard output and standard error.
func NewGate(out, errs io.Writer, spool report.SpoolFactory) *Gate {
	return &Gate{to: [2]io.Writer{out, errs}, spool: spool}
}

// Writers stand for the two behind the gate.
func (g *Gate) Writers() (out, errs io.Writer) { return gated{g, 0}, gated{g, 1} }

type gated struct {
	g  *Gate
	to int
}

func (w gated) Write(b []byte) (int, error) {
	g := w.g
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened {
		return g.to[w.to].Write(b)
	}
	if !g.keep(b) {
		g.lost = true
		return len(b), nil
	}
	if n := len(g.pieces); n > 0 && g.pieces[n-1].to == w.to {
		g.pieces[n-1].size += len(b)
	} else {
		g.pieces = append(g.pieces, piece{w.to, len(b)})
	}
	return len(b), nil
}

func (g *Gate) keep(b []byte) bool {
	if g.file == nil && len(g.memory)+len(b) <= gateMemory {
		g.memory = append(g.memory, b...)
		return true
	}
	if g.file == nil {
		f, err := g.spool()
		if err != nil {
			return false
		}
		g.file = f
	}
	_, err := g.file.Write(b)
	return err == nil
}

// Forget drops what was kept back.
func (g *Gate) Forget() {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.forget()
}

func (g *Gate) forget() {
	if g.file != nil {
		_ = g.file.Close()
	}
	g.pieces, g.memory, g.file, g.lost = nil, nil, nil, false
}

// Open lets out what was kept back, and all that follows.
func (g *Gate) Open() {
	g.mu.Lock()
	defer g.mu.Unlock()
	if g.opened {
		return
	}
	g.opened = true
	from := io.Reader(bytes.NewReader(g.memory))
	if g.file != nil {
		if _, err := g.file.Seek(0, io.SeekStart); err == nil {
			from = io.MultiReader(from, g.file)
		}
	}
	for _, p := range g.pieces {
		if _, err := io.CopyN(g.to[p.to], from, int64(p.size)); err != nil {
			break
		}
	}
	if g.lost {
		_, _ = io.WriteString(g.to[1], "haz: note: some of the output found no place and is not shown\n")
	}
	g.forget()
}
