//go:build !linux

package attach

import "net"

// samePeer is left to the permissions of the folder here.
func samePeer(net.Conn) bool { return true }
