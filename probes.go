package haz

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/haz-build/haz/cache/key"
	"github.com/haz-build/haz/cache/state"
	"github.com/haz-build/haz/cache/tools"
	"github.com/haz-build/haz/process"
)

const (
	maxProbe      = 10 * time.Second // that a probe of a tool may take
	maxProbePipes = time.Second      // that what a probe started may hold its outputs
	maxProbeBytes = 1 << 20          // of each output
)

// probing runs the probe of a tool.
type probing func(ctx context.Context, p tools.Probe) (stdout, stderr []byte, err error)

// runProbe runs the probe of a tool (S-51). What it prints on both streams counts, since some tell their version on the second.
func runProbe(ctx context.Context, p tools.Probe) (stdout, stderr []byte, err error) {
	limited, cancel := context.WithTimeout(ctx, maxProbe)
	defer cancel()
	out, errs := &bounded{}, &bounded{}
	end, err := process.Tool{Program: p.Argv[0], Args: p.Argv[1:], Dir: p.Dir, Env: p.Env, Stdout: out, Stderr: errs, PipesWait: maxProbePipes}.Run(limited)
	switch {
	case ctx.Err() != nil:
		return nil, nil, ctx.Err()
	case limited.Err() != nil:
		return nil, nil, fmt.Errorf("had not ended after %v", maxProbe)
	case err != nil:
		return nil, nil, fmt.Errorf("could not be run: %w", err)
	case end.Text != "":
		if line, _, _ := bytes.Cut(bytes.TrimSpace(errs.Bytes()), []byte("\n")); len(line) > 0 {
			return nil, nil, fmt.Errorf("ended with %s: %.200q", end.Text, line)
		}
		return nil, nil, fmt.Errorf("ended with %s", end.Text)
	case out.over || errs.over:
		return nil, nil, fmt.Errorf("printed more than %d bytes", maxProbeBytes)
	}
	return out.Bytes(), errs.Bytes(), nil
}

// bounded keeps so much of what is written to it.
type bounded struct {
	bytes.Buffer
	over bool
}

var errBounded = errors.New("too much output")

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxProbeBytes {
		b.over = true
		return 0, errBounded
	}
	return b.Buffer.Write(p)
}

// lastTool knows tools by the last keys that runs derived, for commands that run nothing.
func lastTool(st *state.State) func(t *Task, name string) (tools.Tool, bool) {
	return func(t *Task, name string) (tools.Tool, bool) {
		record, ok := st.LastKey(t.ID.String())
		if !ok {
			return tools.Tool{}, false
		}
		secret, ok := st.Secret(false)
		if !ok {
			return tools.Tool{}, false
		}
		return key.RecordedTool(record, secret, name)
	}
}
