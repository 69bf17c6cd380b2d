// Package serve is the main function of a server that haz starts and stops.
package serve

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"syscall"
	"time"
)

// Main listens at the port of the environment variable HAZ_PORT, on this machine alone, until SIGINT or SIGTERM comes. Requests that are
// under way are answered before it ends. It does not return.
func Main(name string, h http.Handler) {
	if err := listen(name, h); err != nil {
		fmt.Fprintf(os.Stderr, "%s: %v\n", name, err)
		os.Exit(1)
	}
	os.Exit(0)
}

func listen(name string, h http.Handler) error {
	port := os.Getenv("HAZ_PORT")
	if port == "" {
		return errors.New("HAZ_PORT is not set: it says where to listen")
	}
	asked, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	l, err := net.Listen("tcp", net.JoinHostPort("127.0.0.1", port))
	if err != nil {
		return err
	}
	fmt.Printf("%s: listening on %s\n", name, l.Addr())
	server := &http.Server{Handler: h, ReadHeaderTimeout: 5 * time.Second}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return err
	case <-asked.Done():
	}
	within, cancel := context.WithTimeout(context.Background(), 3*time.Second)
	defer cancel()
	if err := server.Shutdown(within); err != nil {
		return err
	}
	fmt.Printf("%s: stopped\n", name)
	return nil
}
