//go:build unix

package main

import (
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"syscall"
)

// measured FILE COMMAND... runs a command and writes the peak of its resident memory, in KiB, to FILE. It is a small process of its
// own, since what wait tells of a child includes the memory of whoever forked it.
func measured() {
	cmd := exec.Command(os.Args[2], os.Args[3:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err := cmd.Run()
	if cmd.ProcessState == nil {
		fmt.Fprintln(os.Stderr, "measured:", err)
		os.Exit(125)
	}
	peak := cmd.ProcessState.SysUsage().(*syscall.Rusage).Maxrss
	if err := os.WriteFile(os.Args[1], []byte(strconv.FormatInt(peak, 10)), 0o600); err != nil {
		fmt.Fprintln(os.Stderr, "measured:", err)
		os.Exit(125)
	}
	os.Exit(cmd.ProcessState.ExitCode())
}
