// Package early answers `haz --version` before the packages that a run needs are initialised.
//
// Go initialises packages in the order of their import paths, dependencies first. This one depends on os and syscall alone
// and sorts before the libraries that take their time (protocol buffers, metrics, which the actor library pulls in): they
// cost three times the start of a Go program, and a version is asked for by every editor and every CI job. Nothing but the
// speed of the answer depends on this order; should it change, main gives the same answer a little later.
//
// So no other import may be added here: fmt alone would put the answer behind most of the others.
package early

import (
	"os"
	"syscall"
)

// version is that of the next release. A release sets it: -ldflags "-X github.com/haz-build/haz/cmd/haz/early.version=1.2.3".
var version = "0.1.0-dev"

// Version is the version of the program.
func Version() string { return version }

func init() {
	if len(os.Args) == 2 && (os.Args[1] == "--version" || os.Args[1] == "-V") {
		os.Exit(answer([]byte("haz " + version + "\n")))
	}
}

// answer writes to standard output and returns the exit code. It goes past os.Stdout, whose write dies of SIGPIPE: nobody
// has taken care of that yet.
func answer(text []byte) int {
	for len(text) > 0 {
		n, err := syscall.Write(1, text)
		switch err {
		case nil:
			text = text[n:]
		case syscall.EINTR, syscall.EAGAIN:
		case syscall.EPIPE:
			return 0 // nobody wants to know
		default:
			_, _ = syscall.Write(2, []byte("haz: standard output cannot be written: "+err.Error()+"\n"))
			return 2
		}
	}
	return 0
}
