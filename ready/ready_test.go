package ready_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.uber.org/goleak"

	"github.com/haz-build/haz/ready"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// listen takes a port at an address, or skips the test where this machine has no such address.
func listen(t *testing.T, address string) (l net.Listener, port int) {
	t.Helper()
	l, err := net.Listen("tcp", address)
	if err != nil {
		t.Skipf("cannot listen at %s: %v", address, err)
	}
	t.Cleanup(func() { l.Close() })
	return l, l.Addr().(*net.TCPAddr).Port
}

// closed is a port at which nobody listens.
func closed(t *testing.T) int {
	t.Helper()
	port, err := ready.Host{}.FreePort()
	if err != nil {
		t.Fatal(err)
	}
	return port
}

// said is what a look says.
func said(t *testing.T, p ready.Probe) string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	if err := (ready.Host{}).Look(ctx, p); err != nil {
		return err.Error()
	}
	return ""
}

// A port is ready when somebody listens at either address of localhost.
func TestLookAtPort(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "[::1]:0", ":0"} {
		t.Run(address, func(t *testing.T) {
			l, port := listen(t, address)
			if got := said(t, ready.Probe{Port: port}); got != "" {
				t.Errorf("%q", got)
			}
			l.Close()
			if got, want := said(t, ready.Probe{Port: port}), "nothing listens on port "+strconv.Itoa(port); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		})
	}
}

// What counts as an answer.
func TestLookAtURL(t *testing.T) {
	asked := make(chan *http.Request, 100)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r
		if code, err := strconv.Atoi(strings.TrimPrefix(r.URL.Path, "/")); err == nil {
			w.Header().Set("Location", "/500")
			w.WriteHeader(code)
			return
		}
		switch r.URL.Path {
		case "/endless":
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 1<<12)); err != nil {
					return
				}
				w.(http.Flusher).Flush()
			}
		case "/silent": // after its header
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		case "/break":
			c, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				c.Close()
			}
		case "/nonsense":
			c, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				c.Write([]byte("SSH-2.0\x1b[31m\r\n\r\n"))
				c.Close()
			}
		case "/header":
			w.Header().Set("X", strings.Repeat("x", 1<<20))
		}
	}))
	defer server.Close()
	at := strings.TrimPrefix(server.URL, "http://")
	for _, tc := range []struct {
		path   string
		status int
		want   string
	}{
		{"/200", 0, ""},
		{"/204", 0, ""},
		{"/302", 0, ""}, // not where it leads
		{"/399", 0, ""},
		{"/400", 0, "HTTP 400"},
		{"/503", 0, "HTTP 503"},
		{"/404", 404, ""},
		{"/302", 302, ""},
		{"/302", 200, "HTTP 302, not 200"},
		{"/204", 200, "HTTP 204, not 200"},
		{"/endless", 0, ""},
		{"/silent", 200, ""},
		{"/break", 0, at + " hung up"},
		{"/nonsense", 0, at + `: malformed HTTP response "SSH-2.0\x1b[31m"`},
		{"/header", 0, at + ": net/http: server response headers exceeded 65536 bytes; aborted"},
	} {
		if got := said(t, ready.Probe{URL: server.URL + tc.path, Status: tc.status}); got != tc.want {
			t.Errorf("%s, status %d: %q, want %q", tc.path, tc.status, got, tc.want)
		}
		r := <-asked
		if r.Method != "GET" || r.Header.Get("User-Agent") != "haz" || !r.Close || len(asked) > 0 {
			t.Errorf("%s was asked by %s, %v, close %t, and %d times more", tc.path, r.Method, r.Header, r.Close, len(asked))
		}
	}
	if got := said(t, ready.Probe{URL: "http://127.0.0.1:" + strconv.Itoa(closed(t)) + "/?secret=x"}); !strings.HasPrefix(got, "nothing listens on 127.0.0.1:") || strings.Contains(got, "secret") {
		t.Errorf("%q", got)
	}
	for _, bad := range []string{"http://%zz", "ftp://127.0.0.1/", "http:///x"} {
		if got := said(t, ready.Probe{URL: bad}); got == "" {
			t.Errorf("%s is ready", bad)
		}
	}
}

// Who signed a certificate does not matter, no proxy stands between, and localhost is both of its addresses.
func TestLookAtURLOfThisMachine(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://127.0.0.1:1")
	t.Setenv("HTTPS_PROXY", "http://127.0.0.1:1")
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	defer secure.Close()
	if got := said(t, ready.Probe{URL: secure.URL, Status: 404}); got != "" {
		t.Errorf("%q", got)
	}
	if got := said(t, ready.Probe{URL: strings.Replace(secure.URL, "https", "http", 1)}); got != "HTTP 400" {
		t.Errorf("%q", got)
	}
	for _, address := range []string{"127.0.0.1:0", "[::1]:0"} {
		t.Run(address, func(t *testing.T) {
			l, port := listen(t, address)
			go http.Serve(l, http.NotFoundHandler())
			for _, host := range []string{"localhost", "LocalHost.", "api.localhost"} {
				if got := said(t, ready.Probe{URL: "http://" + host + ":" + strconv.Itoa(port), Status: 404}); got != "" {
					t.Errorf("%s: %q", host, got)
				}
			}
		})
	}
}

// A server that says nothing is given up with the look, and its connection is closed.
func TestLookEndsInTime(t *testing.T) {
	l, port := listen(t, "127.0.0.1:0")
	ended := make(chan error, 2)
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				for b := make([]byte, 1<<10); ; {
					if _, err := c.Read(b); err != nil {
						ended <- err
						return
					}
				}
			}()
		}
	}()
	host := "127.0.0.1:" + strconv.Itoa(port)
	for _, scheme := range []string{"http://", "https://"} { // one waits for an answer, the other one for the handshake
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(50*time.Millisecond, cancel)
		if err := (ready.Host{}).Look(ctx, ready.Probe{URL: scheme + host}); !errors.Is(err, context.Canceled) {
			t.Errorf("%s: %v", scheme, err)
		}
		select {
		case <-ended:
		case <-time.After(20 * time.Second):
			t.Errorf("%s: the connection is still open", scheme)
		}
	}
	if testing.Short() {
		return
	}
	begin := time.Now()
	if got := said(t, ready.Probe{URL: "http://" + host}); got != host+" does not answer" || time.Since(begin) < ready.LookMax {
		t.Errorf("%q after %v", got, time.Since(begin))
	}
	<-ended
}

func TestLookAtFile(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "ready")
	if got, want := said(t, ready.Probe{File: file}), "file "+file+" is not there"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
	if err := os.Symlink("nowhere", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	if got := said(t, ready.Probe{File: filepath.Join(dir, "link")}); !strings.HasSuffix(got, "is not there") {
		t.Errorf("a link to nowhere: %q", got)
	}
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for _, there := range []string{file, dir} {
		if got := said(t, ready.Probe{File: there}); got != "" {
			t.Errorf("%s: %q", there, got)
		}
	}
	if got, want := said(t, ready.Probe{File: file + "/x"}), "file "+file+"/x: not a directory"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// Ports are free for both addresses, and no two are the same (EXEC-079).
func TestFreePort(t *testing.T) {
	seen := map[int]bool{}
	for range 300 {
		port, err := ready.Host{}.FreePort()
		if err != nil {
			t.Fatal(err)
		}
		if seen[port] {
			t.Fatalf("%d was given twice", port)
		}
		seen[port] = true
	}
	port := closed(t)
	for _, address := range []string{"127.0.0.1", "::1", ""} {
		l, err := net.Listen("tcp", net.JoinHostPort(address, strconv.Itoa(port)))
		if err != nil && address != "::1" {
			t.Errorf("%d is not free at %q: %v", port, address, err)
		}
		if err == nil {
			l.Close()
		}
	}
}

// Many at once, of several hosts in one program.
func TestFreePortsAtOnce(t *testing.T) {
	ports := make(chan int)
	for range 8 {
		go func() {
			for range 20 {
				port, err := ready.Host{}.FreePort()
				if err != nil {
					t.Error(err)
				}
				ports <- port
			}
		}()
	}
	seen := map[int]bool{}
	for range 160 {
		port := <-ports
		if seen[port] {
			t.Errorf("%d was given twice", port)
		}
		seen[port] = true
	}
}

// Whoever listens at localhost or at any address has the port, and is told by number and name where the system tells.
func TestTaken(t *testing.T) {
	for _, address := range []string{"127.0.0.1:0", "0.0.0.0:0", "[::1]:0", "[::]:0"} {
		t.Run(address, func(t *testing.T) {
			l, port := listen(t, address)
			h, taken := ready.Host{}.Taken(port)
			if !taken || h.PID != 0 && (h.PID != os.Getpid() || h.Name != filepath.Base(os.Args[0])) {
				t.Errorf("%+v, %t", h, taken)
			}
			l.Close()
			if h, taken := (ready.Host{}).Taken(port); taken {
				t.Errorf("afterwards: %+v", h)
			}
		})
	}
}
