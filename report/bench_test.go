package report

import (
	"io"
	"strings"
	"testing"
)

// Live output: one write a line, no allocation a line.
func BenchmarkLiveLines(b *testing.B) {
	chunk := out("lib:build", strings.Repeat(strings.Repeat("x", 79)+"\n", 400))
	p := New(Options{Stdout: Stream{W: io.Discard}, Stderr: Stream{W: io.Discard}})
	b.SetBytes(int64(len(chunk.Bytes)))
	b.ReportAllocs()
	for b.Loop() {
		p.Handle(chunk)
	}
	p.End(0, 0)
}
