package ready

import (
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A port that was given is not given again for a while, and not remembered for ever.
func TestGivenPortsAreForgotten(t *testing.T) {
	given.Lock()
	given.at[1], given.at[2] = time.Now().Add(-remembered-time.Second), time.Now().Add(-remembered+time.Minute)
	given.Unlock()
	if _, err := (Host{}).FreePort(); err != nil {
		t.Fatal(err)
	}
	given.Lock()
	defer given.Unlock()
	_, old := given.at[1]
	_, young := given.at[2]
	if old || !young {
		t.Errorf("the old one: %t, the young one: %t", old, young)
	}
	delete(given.at, 2)
}

// Of the failures at two addresses the one that says more is told.
func TestTelling(t *testing.T) {
	order := []error{syscall.EADDRNOTAVAIL, &os.SyscallError{Syscall: "connect", Err: syscall.ECONNREFUSED}, os.ErrDeadlineExceeded}
	for i, err := range order {
		if telling(err) != i {
			t.Errorf("%v: %d, want %d", err, telling(err), i)
		}
	}
}

func TestCause(t *testing.T) {
	for _, tc := range []struct {
		err  error
		want string
	}{
		{fmt.Errorf("dial tcp [::1]:5: %w", syscall.ENETDOWN), "network is down"},
		{errors.New("a\x1b[31m\nb\xff"), "a?[31m?b?"},
		{errors.New(strings.Repeat("ä", 150)), strings.Repeat("ä", 100) + "…"},
	} {
		if got := cause(tc.err); got != tc.want {
			t.Errorf("%q, want %q", got, tc.want)
		}
	}
}
