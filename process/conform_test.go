//go:build unix

package process_test

import (
	"testing"

	"github.com/haz-build/haz/process"
	"github.com/haz-build/haz/process/processtest"
)

// testEnv is the environment of most processes here.
var testEnv = []string{"PATH=/usr/bin:/bin"}

func shell(dir, script string) process.Command {
	return process.Command{Label: "p:t", Dir: dir, Argv: []string{"sh", "-c", script}, Env: testEnv}
}

func TestConform(t *testing.T) {
	dir := t.TempDir()
	scripts := map[processtest.Behaviour]string{
		processtest.Succeeds: "echo out; printf err >&2",
		processtest.Fails:    "echo bad >&2; exit 3",
		processtest.Crashes:  "kill -9 $$",
		processtest.Hangs:    "echo ready; exec sleep 300",
		processtest.Stubborn: "trap '' HUP INT QUIT TERM USR1 USR2; echo ready; while :; do sleep 1; done",
	}
	processtest.Conform(t,
		func() process.Spawner { return process.System(process.DefaultLimits) },
		func(b processtest.Behaviour) process.Command {
			if b == processtest.Missing {
				return process.Command{Dir: dir, Argv: []string{"no-such-program"}, Env: testEnv}
			}
			return shell(dir, scripts[b])
		})
}
