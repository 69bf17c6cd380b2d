package ready

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"
)

const (
	headerMax = 64 << 10 // of an answer
	bodyMax   = 64 << 10 // that is read, so that a server is not told that its reader went away
	bodyTime  = 100 * time.Millisecond
	causeMax  = 200
)

// lookURL asks once. An answer is an answer: a redirect is not followed, and who signed a certificate does not matter, since nothing is told to
// the server and nothing of what it says is used. No proxy of the environment stands between, and nothing is kept for the next look.
func lookURL(ctx context.Context, text string, status int) error {
	at, err := url.Parse(text)
	if err != nil {
		return errors.New("not a URL")
	}
	transport := &http.Transport{
		DialContext:            func(_ context.Context, _, address string) (net.Conn, error) { return dialFor(ctx, address) },
		TLSClientConfig:        &tls.Config{InsecureSkipVerify: true},
		DisableKeepAlives:      true,
		DisableCompression:     true,
		MaxResponseHeaderBytes: headerMax,
	}
	defer transport.CloseIdleConnections()
	answer, err := transport.RoundTrip((&http.Request{
		Method: http.MethodGet, URL: at, Host: at.Host,
		Header: http.Header{"User-Agent": {"haz"}, "Accept": {"*/*"}},
	}).WithContext(ctx))
	switch {
	case err != nil && ctx.Err() != nil:
		return fmt.Errorf("%s does not answer", at.Host)
	case err != nil:
		return unanswered(at, err)
	}
	enough := time.AfterFunc(bodyTime, func() { answer.Body.Close() }) // a stream of events has no end
	_, _ = io.CopyN(io.Discard, answer.Body, bodyMax)
	enough.Stop()
	answer.Body.Close()
	switch {
	case status == 0 && answer.StatusCode >= 200 && answer.StatusCode < 400, answer.StatusCode == status:
		return nil
	case status == 0:
		return fmt.Errorf("HTTP %d", answer.StatusCode)
	}
	return fmt.Errorf("HTTP %d, not %d", answer.StatusCode, status)
}

// dialFor connects for a look at a URL. localhost is this machine, at both of its addresses, whatever a resolver makes of the name.
func dialFor(ctx context.Context, address string) (c net.Conn, err error) {
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	if name := strings.ToLower(strings.TrimSuffix(host, ".")); name == "localhost" || strings.HasSuffix(name, ".localhost") {
		c, err = dialLocal(ctx, port)
	} else if c, err = dialer.DialContext(ctx, "tcp", address); err == nil && toItself(c) {
		c.Close()
		err = syscall.ECONNREFUSED
	}
	return c, err
}

// unanswered says why there was no answer. It does not repeat the URL, of which a part may be secret.
func unanswered(at *url.URL, err error) error {
	var dns *net.DNSError
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return fmt.Errorf("nothing listens on %s", at.Host)
	case errors.As(err, &dns) && dns.IsNotFound:
		return fmt.Errorf("host %s is not known", at.Hostname())
	case timedOut(err):
		return fmt.Errorf("%s does not answer", at.Host)
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET):
		return fmt.Errorf("%s hung up", at.Host)
	}
	return fmt.Errorf("%s: %s", at.Host, cause(err))
}

// cause is what is at the bottom of an error, in one line: what surrounds it repeats addresses, and a server may have put anything into it.
func cause(err error) string {
	text := strings.TrimPrefix(err.Error(), "net/http: HTTP/1.x transport connection broken: ")
	var errno syscall.Errno
	if errors.As(err, &errno) {
		text = errno.Error()
	}
	return oneLine(text)
}

// oneLine is a text of somebody else for people: without control characters, and not too long.
func oneLine(text string) string {
	text = strings.Map(func(r rune) rune {
		if r < 0x20 || r >= 0x7f && r < 0xa0 {
			return '?'
		}
		return r
	}, strings.ToValidUTF8(text, "?"))
	if len(text) > causeMax {
		text = strings.ToValidUTF8(text[:causeMax], "") + "…"
	}
	return text
}
