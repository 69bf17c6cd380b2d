package workspace

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Defaults of services (haz::cfg::140).
const (
	ReadyTimeout  = time.Minute
	ReadyInterval = 100 * time.Millisecond
	RestartsMax   = 100
	RestartsUsual = 3
)

// PortVariable has the port of a service: in its own environment, and behind "${…}" in what it says of itself.
const PortVariable = "HAZ_PORT"

// Service says that a task is one: its process does not end by itself, and those that depend on it begin when it is ready (EXEC-071).
type Service struct {
	Port     int  // that it listens on; 0: it says none, or AutoPort
	AutoPort bool // a free one, another in each run
	Ready    Ready
	Stop     Stop
	Restarts int               // further starts when its process has failed while it was needed
	Exports  map[string]string // variables of those that depend on it; "${HAZ_PORT}" in a value stands for the port
}

// Ready is how one sees that a service answers: exactly one of its first fields says something.
type Ready struct {
	Port    bool     // something listens on the port of the service
	URL     string   // a GET of it answers with Status; "${HAZ_PORT}" stands for the port
	Output  string   // it has printed a line with this text
	Command []string // a program with its arguments ends with 0
	File    string   // something lies there; a path of the workspace

	Status   int           // of URL; 0: any from 200 to 399
	Timeout  time.Duration // for it to be ready; more than 0
	Interval time.Duration // between two looks; more than 0
}

// Stop is how a service is stopped when nobody needs it any more.
type Stop struct {
	Signal string         // "TERM"; "": as a cancelled task is
	Grace  *time.Duration // until it is killed; nil: that of the run
}

// StopSignals are those that a service may be stopped with.
var StopSignals = []string{"TERM", "INT", "HUP", "QUIT", "USR1", "USR2"}

// ExpandPort puts a port into the places of a text that are for it.
func ExpandPort(text string, port int) string {
	return strings.ReplaceAll(text, "${"+PortVariable+"}", strconv.Itoa(port))
}

// NeedsPort reports whether a text has a place for a port.
func NeedsPort(text string) bool { return strings.Contains(text, "${"+PortVariable+"}") }

// CheckPort is whether a text is the number of a port.
func CheckPort(text string) (int, error) {
	port, err := strconv.ParseUint(text, 10, 32)
	if err != nil || port < 1 || port > 65535 || strconv.FormatUint(port, 10) != text {
		return 0, fmt.Errorf("a port is a number from 1 to 65535")
	}
	return int(port), nil
}

// CheckURL is whether a text, once its port is known, is a URL that can be asked: http or https, with a host.
func CheckURL(text string) error {
	u, err := url.Parse(ExpandPort(text, 1))
	switch {
	case err != nil:
		return fmt.Errorf("it is no URL")
	case u.Scheme != "http" && u.Scheme != "https":
		return fmt.Errorf("it begins with http:// or https://")
	case u.Hostname() == "":
		return fmt.Errorf("it has no host")
	case u.User != nil:
		return fmt.Errorf("it holds a name or a password, which would be in the cache key and in what haz prints")
	}
	if p := u.Port(); p != "" {
		if _, err := CheckPort(p); err != nil {
			return err
		}
	}
	return nil
}
