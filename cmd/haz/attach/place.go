package attach

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/haz-build/haz/fsys"
)

// EXEC-086: a socket lies in a folder of its workspace that only its owner can enter, under the number of its process and some letters, so that no two have one name. It is made under another one and
// renamed when it listens: one that nobody listens at is a dead run's. A path that is too long for the system is gone round: through the open folder where the system has names for
// those, else the socket lies in a folder of its own below /tmp, and a file says where.

const (
	socketEnd  = ".sock"
	pointerEnd = ".at"
	beingMade  = "new-"

	longest = 100 // bytes of a path that every system takes
	most    = 1000
)

// bind makes a socket that listens.
func bind(dir fsys.FS, pid int) (net.Listener, func(), error) {
	var letters [4]byte
	_, _ = rand.Read(letters[:])
	name := "/" + strconv.Itoa(pid) + "-" + hex.EncodeToString(letters[:])
	fresh := "/" + beingMade + name[1:] + socketEnd
	path := reachable(dir, fresh)
	if path == "" {
		return bindElsewhere(dir, name)
	}
	l, err := listen(path)
	if err != nil {
		return nil, nil, err
	}
	if err := errors.Join(dir.Chmod(fresh, 0o600), dir.Rename(fresh, name+socketEnd)); err != nil {
		_ = l.Close()
		_ = dir.Remove(fresh)
		return nil, nil, err
	}
	return l, func() { _ = dir.Remove(name + socketEnd) }, nil
}

// reachable is how the system is told of a name in a folder; "" where all ways are too long.
func reachable(dir fsys.FS, name string) string {
	if path := dir.HostPath(name); len(path) <= longest {
		return path
	}
	if p, ok := dir.(fsys.Place); ok {
		if path := p.StandingPath(name); path != "" && len(path) <= longest {
			return path
		}
	}
	return ""
}

func listen(path string) (net.Listener, error) {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, fmt.Errorf("listen for other terminals: %w", err)
	}
	l.SetUnlinkOnClose(false) // by a name that it has no more
	return l, nil
}

// bindElsewhere makes the socket below /tmp.
func bindElsewhere(dir fsys.FS, name string) (net.Listener, func(), error) {
	host := fsys.Machine()
	var letters [8]byte
	_, _ = rand.Read(letters[:])
	home := "/tmp/haz-" + hex.EncodeToString(letters[:])
	if err := host.Mkdir(home, 0o700); err != nil {
		return nil, nil, err
	}
	l, err := listen(home + "/s")
	if err == nil {
		err = fsys.WriteFileAtomic(dir, name+pointerEnd, []byte(home), 0o600)
	}
	if err != nil {
		if l != nil {
			_ = l.Close()
		}
		_ = host.RemoveAll(home)
		return nil, nil, err
	}
	return l, func() {
		_ = dir.Remove(name + pointerEnd)
		_ = host.RemoveAll(home)
	}, nil
}

// sockets are the names of what may be runs, in a folder that need not be there.
func sockets(dir fsys.FS) (names []string) {
	entries, err := dir.List("/")
	if err != nil {
		return nil
	}
	for _, e := range entries {
		socket, pointer := strings.HasSuffix(e.Name, socketEnd) && e.Kind == fsys.Special, strings.HasSuffix(e.Name, pointerEnd) && e.Kind == fsys.File
		if (socket || pointer) && !strings.HasPrefix(e.Name, beingMade) && len(names) < most {
			names = append(names, e.Name)
		}
	}
	slices.Sort(names)
	return names
}

// dial reaches who listens at a name. dead says that nobody does, and never will again.
func dial(dir fsys.FS, name string) (c net.Conn, dead bool, err error) {
	path := reachable(dir, "/"+name)
	if strings.HasSuffix(name, pointerEnd) {
		home, _, err := dir.ReadFile("/"+name, 256)
		if err != nil {
			return nil, false, err
		}
		if !strings.HasPrefix(string(home), "/tmp/haz-") || strings.ContainsAny(string(home[len("/tmp/"):]), "/\x00") {
			return nil, true, errors.New("it does not say where a socket lies")
		}
		path = string(home) + "/s"
	}
	if path == "" {
		return nil, false, errors.New("its path is too long")
	}
	conn, err := net.DialTimeout("unix", path, patience)
	if err != nil {
		return nil, errors.Is(err, syscall.ECONNREFUSED) || strings.HasSuffix(name, pointerEnd) && errors.Is(err, syscall.ENOENT), err
	}
	if !samePeer(conn) {
		_ = conn.Close()
		return nil, false, errors.New("it is of another user")
	}
	return conn, false, nil
}

// abandoned is how old a name is that nobody is about to change any more.
const abandoned = time.Hour

// sweep removes what runs have left that are dead.
func sweep(dir fsys.FS) {
	entries, _ := dir.List("/")
	for _, e := range entries {
		if strings.HasPrefix(e.Name, beingMade) {
			if info, err := dir.Lstat("/" + e.Name); err == nil && info.Kind == fsys.Special && time.Since(time.Unix(0, info.MTime)) > abandoned {
				_ = dir.Remove("/" + e.Name)
			}
		}
	}
	for _, name := range sockets(dir) {
		c, dead, _ := dial(dir, name)
		if c != nil {
			_ = c.Close()
		}
		if dead {
			bury(dir, name)
		}
	}
}

func bury(dir fsys.FS, name string) {
	if strings.HasSuffix(name, pointerEnd) {
		if home, _, err := dir.ReadFile("/"+name, 256); err == nil && strings.HasPrefix(string(home), "/tmp/haz-") && !strings.ContainsAny(string(home[len("/tmp/"):]), "/\x00") {
			_ = fsys.Machine().Remove(string(home) + "/s")
			_ = fsys.Machine().Remove(string(home))
		}
	}
	_ = dir.Remove("/" + name)
}
