// Command web makes short links, and counts who follows them. What it knows is in the store at STORE_URL.
//
//	POST /links, url=https://…   the short link, as text
//	GET /links/NAME              where it leads and how often it was followed, as JSON
//	GET /NAME                    leads there
package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"

	"example.com/services/serve"
)

const page = `<!doctype html>
<title>Short links</title>
<form method="post" action="/links"><input name="url" type="url" required placeholder="https://…"> <button>Shorten</button></form>
`

func main() {
	at := os.Getenv("STORE_URL")
	if at == "" {
		fmt.Fprintln(os.Stderr, "web: STORE_URL is not set: it says where the store is")
		os.Exit(1)
	}
	serve.Main("web", routes(store{at: at, client: http.Client{Timeout: 5 * time.Second}}))
}

func routes(s store) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, page) })
	mux.HandleFunc("GET /health", s.answered(health))
	mux.HandleFunc("POST /links", s.answered(shorten))
	mux.HandleFunc("GET /links/{name}", s.answered(show))
	mux.HandleFunc("GET /{name}", s.answered(follow))
	return mux
}

// answered makes a handler of one that may fail: then the store does not answer as it should.
func (s store) answered(f func(store, http.ResponseWriter, *http.Request) error) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if err := f(s, w, r); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	}
}

func health(s store, w http.ResponseWriter, _ *http.Request) error {
	if _, _, err := s.ask("GET", "/counters/health", "", nil); err != nil {
		return err
	}
	fmt.Fprintln(w, "ok")
	return nil
}

// shorten names a link by the beginning of the digest of its URL, which is longer where another one has that name.
func shorten(s store, w http.ResponseWriter, r *http.Request) error {
	long := r.FormValue("url")
	if u, err := url.Parse(long); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		http.Error(w, "url is no http URL", http.StatusBadRequest)
		return nil
	}
	digest := sha256.Sum256([]byte(long))
	name := hex.EncodeToString(digest[:])
	for n := 7; n <= len(name); n++ {
		status, _, err := s.ask("PUT", "/keys/"+name[:n], long, http.Header{"If-None-Match": {"*"}})
		if err != nil {
			return err
		}
		if status == http.StatusPreconditionFailed { // somebody was here before, with the same URL as a rule
			_, other, err := s.ask("GET", "/keys/"+name[:n], "", nil)
			if err != nil {
				return err
			}
			if other != long {
				continue
			}
		}
		w.WriteHeader(http.StatusCreated)
		fmt.Fprintf(w, "http://%s/%s\n", r.Host, name[:n])
		return nil
	}
	return fmt.Errorf("all names for %q are given", long)
}

func show(s store, w http.ResponseWriter, r *http.Request) error {
	status, long, err := s.ask("GET", "/keys/"+url.PathEscape(r.PathValue("name")), "", nil)
	if err != nil {
		return err
	}
	if status == http.StatusNotFound {
		http.NotFound(w, r)
		return nil
	}
	_, count, err := s.ask("GET", "/counters/"+url.PathEscape(r.PathValue("name")), "", nil)
	if err != nil {
		return err
	}
	visits, err := strconv.Atoi(strings.TrimSpace(count))
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	return json.NewEncoder(w).Encode(map[string]any{"url": long, "visits": visits})
}

func follow(s store, w http.ResponseWriter, r *http.Request) error {
	status, long, err := s.ask("GET", "/keys/"+url.PathEscape(r.PathValue("name")), "", nil)
	if err != nil {
		return err
	}
	if status == http.StatusNotFound {
		http.NotFound(w, r)
		return nil
	}
	if _, _, err := s.ask("POST", "/counters/"+url.PathEscape(r.PathValue("name")), "", nil); err != nil {
		return err
	}
	http.Redirect(w, r, long, http.StatusFound)
	return nil
}

// store is where the links are.
type store struct {
	at     string
	client http.Client
}

// ask returns the answer of the store. An answer that says that the store is at fault is an error.
func (s *store) ask(method, path, body string, header http.Header) (status int, text string, err error) {
	r, err := http.NewRequest(method, s.at+path, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	for name, values := range header {
		r.Header[name] = values
	}
	answer, err := s.client.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(io.LimitReader(answer.Body, 1<<20))
	if err == nil && answer.StatusCode >= 500 {
		err = fmt.Errorf("the store answers %s", answer.Status)
	}
	return answer.StatusCode, string(b), err
}
