package ready

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// loopbacks are the addresses of localhost, in the order in which they are tried.
var loopbacks = []string{"127.0.0.1", "::1"}

// dialMax is for one address of two, so that one that swallows what is sent to it leaves time for the other.
const dialMax = LookMax / 2

// dialer waits for nothing but the connection: no name is looked up in a thread that cannot be called back, no probes keep it alive.
var dialer = net.Dialer{Timeout: dialMax, KeepAlive: -1, Resolver: &net.Resolver{PreferGo: true}}

func lookPort(ctx context.Context, port int) error {
	c, err := dialLocal(ctx, strconv.Itoa(port))
	switch {
	case err == nil:
		return c.Close()
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nothing listens on port %d", port)
	case timedOut(err):
		return fmt.Errorf("port %d does not answer", port)
	}
	return fmt.Errorf("port %d: %s", port, cause(err))
}

// dialLocal connects to localhost, at whichever of its addresses somebody listens. Of two failures the more telling one is returned.
func dialLocal(ctx context.Context, port string) (net.Conn, error) {
	var failure error
	for _, address := range loopbacks {
		c, err := dialer.DialContext(ctx, "tcp", net.JoinHostPort(address, port))
		switch {
		case err == nil && toItself(c):
			c.Close()
			err = syscall.ECONNREFUSED
		case err == nil:
			return c, nil
		}
		if failure == nil || telling(err) > telling(failure) {
			failure = err
		}
	}
	return nil, failure
}

// telling is how much a failure to connect says: an address that this machine does not have says nothing of the other.
func telling(err error) int {
	switch {
	case absent(err):
		return 0
	case errors.Is(err, syscall.ECONNREFUSED):
		return 1
	}
	return 2
}

// toItself is a connection that TCP makes where nobody listens: the kernel picks the port that is dialled as the one to dial from.
func toItself(c net.Conn) bool { return c.LocalAddr().String() == c.RemoteAddr().String() }

// absent reports that this machine does not have an address (no IPv6).
func absent(err error) bool {
	return errors.Is(err, syscall.EADDRNOTAVAIL) || errors.Is(err, syscall.EAFNOSUPPORT) || errors.Is(err, syscall.ENETUNREACH) || errors.Is(err, syscall.EHOSTUNREACH) ||
		errors.Is(err, syscall.EPROTONOSUPPORT)
}

func timedOut(err error) bool {
	var n net.Error
	return errors.As(err, &n) && n.Timeout() || errors.Is(err, context.DeadlineExceeded)
}

// remembered is for how long a port that was given is not given again: whoever got it has bound it by then, or never will.
const remembered = 5 * time.Minute

// given are the ports that this process has handed out, whoever in it asked: runs in one program share the ports of the machine.
var given = struct {
	sync.Mutex
	at map[int]time.Time
}{at: map[int]time.Time{}}

// freePorts is how many ports are tried. The kernel gives numbers in no order, so this is never needed where any are free.
const freePorts = 200

// FreePort implements Network (EXEC-079).
func (Host) FreePort() (int, error) {
	given.Lock()
	defer given.Unlock()
	for port, at := range given.at {
		if time.Since(at) > remembered {
			delete(given.at, port)
		}
	}
	var held []net.Listener // all of them, so that the kernel comes up with other ports for as long as one will not do
	defer func() {
		for _, l := range held {
			l.Close()
		}
	}()
	for range freePorts {
		port, ls, err := anyPort()
		held = append(held, ls...)
		if err != nil {
			return 0, fmt.Errorf("no free port: %s", cause(err))
		}
		if _, again := given.at[port]; !again && port != 0 {
			given.at[port] = time.Now()
			return port, nil
		}
	}
	return 0, errors.New("no free port: all that the system gave were in use")
}

// anyPort takes a port at all addresses of localhost that there are. It is 0 where the system gave one that is in use at another of them.
func anyPort() (port int, held []net.Listener, err error) {
	for _, address := range loopbacks {
		l, failure := net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(port)))
		switch {
		case failure == nil:
			held = append(held, l)
			port = l.Addr().(*net.TCPAddr).Port
		case absent(failure):
			err = failure // unless the other one is there
		case port == 0:
			return 0, held, failure
		default:
			return 0, held, nil
		}
	}
	if port == 0 {
		return 0, held, err
	}
	return port, held, nil
}
