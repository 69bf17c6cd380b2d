// Package early answers `haz --version` and `haz help` before the packages that a run needs are initialised.
//
// Go initialises packages in the order of their import paths, dependencies first. This one depends on os and syscall alone
// and sorts before the libraries that take their time (protocol buffers, metrics, which the actor library pulls in): they
// cost three times the start of a Go program, and a version is asked for by every editor and every CI job. Nothing but the
// speed of the answer depends on this order; should it change, main gives the same answer a little later.
//
// So no other import may be added here (embed brings none that os does not): fmt alone would put the answer behind most of the others.
package early

import (
	_ "embed"
	"os"
	"syscall"
)

// version is that of the next release. A release sets it: -ldflags "-X github.com/haz-build/haz/cmd/haz/early.version=1.2.3".
var version = "0.1.0-dev"

// Version is the version of the program.
func Version() string { return version }

// Help is what `haz help` says, on pages of HelpWidth columns: go test ./cmd/haz -run TestEarlyHelp -update.
//
//go:embed help.txt
var Help string

// HelpWidth is how wide help is where nobody knows better, and MostWidth the widest terminal that is filled to its edge.
const (
	HelpWidth = 80
	MostWidth = 100
)

func init() {
	if len(os.Args) != 2 {
		return
	}
	switch os.Args[1] {
	case "--version", "-V":
		os.Exit(answer([]byte("haz " + version + "\n")))
	case "help", "--help", "-h":
		if width := columns(); width == HelpWidth || width <= 0 || width > MostWidth {
			os.Exit(answer([]byte(Help)))
		}
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
