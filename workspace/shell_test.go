package workspace

import (
	"slices"
	"testing"
)

func TestCommandLine(t *testing.T) {
	for _, c := range []struct {
		task Task
		want []string
	}{
		{Task{Kind: Command, Argv: []string{"cc", "-c"}}, []string{"cc", "-c"}},
		{Task{Kind: Shell, Shell: "sh", Script: "a\nb"}, []string{"sh", "-e", "-c", "a\nb"}},
		{Task{Kind: Shell, Shell: "bash"}, []string{"bash", "-e", "-o", "pipefail", "-c", ""}},
		{Task{Kind: Shell, Shell: "zsh", Script: "a"}, []string{"zsh", "-e", "-o", "pipefail", "-c", "a"}},
		{Task{Kind: Shell, Shell: "busybox", Script: "a"}, []string{"busybox", "sh", "-e", "-o", "pipefail", "-c", "a"}},
		{Task{Kind: Shell, Shell: "busybox", OwnOptions: []string{}}, []string{"busybox", "sh", "-c", ""}},
		{Task{Kind: Shell, Shell: "bash", OwnOptions: []string{}}, []string{"bash", "-c", ""}},
		{Task{Kind: Shell, Shell: "fish", OwnOptions: []string{"-N"}}, []string{"fish", "-N", "-c", ""}},
		{Task{Kind: Shell, Shell: "fish", Script: "a"}, []string{"fish", "-c", "a"}},
		{Task{Kind: Shell, Shell: "pwsh-7", Script: "a"}, []string{"pwsh-7", "-c", "a"}},
	} {
		if got := c.task.CommandLine(); !slices.Equal(got, c.want) {
			t.Errorf("%+v: %q, want %q", c.task, got, c.want)
		}
	}
	if s := (&Task{Kind: Command, Shell: "sh"}).ShellOptions(); s != nil {
		t.Errorf("a command has shell options %q", s)
	}
}
