package attach

import (
	"net"
	"os"
	"syscall"
)

// samePeer reports whether who is at the other end is this user: a folder can be opened up, and a socket be handed on.
func samePeer(c net.Conn) bool {
	u, ok := c.(*net.UnixConn)
	if !ok {
		return false
	}
	raw, err := u.SyscallConn()
	if err != nil {
		return false
	}
	var who *syscall.Ucred
	if cerr := raw.Control(func(fd uintptr) { who, err = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED) }); cerr != nil || err != nil {
		return false
	}
	return int(who.Uid) == os.Geteuid()
}
