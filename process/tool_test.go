//go:build unix

package process_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/haz-build/haz/process"
)

// A Tool sees what it is given and nothing else.
func TestTool(t *testing.T) {
	t.Setenv("HAZ_TEST_LEAK", "leaked")
	dir := t.TempDir()
	for _, tc := range []struct {
		name, script, in string
		env              []string
		out, said        string
		end              process.ToolEnd
	}{
		{name: "streams", script: "cat; echo said >&2", in: "fed", out: "fed", said: "said\n"},
		{name: "directory", script: "pwd -P", out: dir + "\n"},
		{name: "environment", script: `echo "$A.$HAZ_TEST_LEAK"`, env: []string{"A=0", "A=1"}, out: "1.\n"},
		{name: "no environment", script: `echo ".$HAZ_TEST_LEAK"`, out: ".\n"},
		{name: "arguments", script: `echo "$0,$1"`, out: "zero,a b\n"},
		{name: "status", script: "echo part; exit 3", out: "part\n", end: process.ToolEnd{Status: 3, Text: "exit status 3"}},
		{name: "signal", script: "kill -TERM $$", end: process.ToolEnd{Status: -1, Text: "signal: terminated"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			var out, said bytes.Buffer
			end, err := process.Tool{Program: "/bin/sh", Args: []string{"-c", tc.script, "zero", "a b"}, Dir: dir, Env: tc.env,
				Stdin: strings.NewReader(tc.in), Stdout: &out, Stderr: &said}.Run(t.Context())
			if err != nil || end != tc.end || out.String() != tc.out || said.String() != tc.said {
				t.Errorf("%+v, %v; said %q and %q; want %+v, %q and %q", end, err, out.String(), said.String(), tc.end, tc.out, tc.said)
			}
		})
	}
}

// What the tool has written is there though something that it started holds its pipes.
func TestToolPipesHeld(t *testing.T) {
	var out, pid bytes.Buffer
	end, err := process.Tool{Program: "/bin/sh", Args: []string{"-c", "echo all; sleep 60 & echo $! >&2"}, Dir: "/", Env: []string{"PATH=/usr/bin:/bin"},
		Stdout: &out, Stderr: &pid, PipesWait: 10 * time.Millisecond}.Run(t.Context())
	if held, err := strconv.Atoi(strings.TrimSpace(pid.String())); err != nil || syscall.Kill(held, syscall.SIGKILL) != nil {
		t.Errorf("who held the pipes has said %q", pid.String())
	} else {
		_, _ = syscall.Wait4(held, nil, 0, nil) // it is ours where another test has made this process a reaper of orphans
	}
	if err != nil || end != (process.ToolEnd{}) || out.String() != "all\n" {
		t.Errorf("%+v, %v, %q", end, err, out.String())
	}
}

// The end of the context ends the tool, and is the error.
func TestToolCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	_, err := process.Tool{Program: "/bin/sh", Args: []string{"-c", "echo up; exec sleep 60"}, Dir: "/", Env: []string{"PATH=/usr/bin:/bin"},
		Stdout: onWrite(cancel)}.Run(ctx)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

func TestToolNotStarted(t *testing.T) {
	if _, err := (process.Tool{Program: "/no/such/tool", Dir: "/"}).Run(t.Context()); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("got %v", err)
	}
}

type onWrite func()

func (f onWrite) Write(b []byte) (int, error) {
	f()
	return len(b), nil
}
