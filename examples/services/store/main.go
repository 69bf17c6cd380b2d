// Command store keeps values by name, in memory, and counts.
//
//	GET, PUT, DELETE /keys/NAME   the value; PUT with If-None-Match: * does not replace one (412)
//	GET, POST /counters/NAME      the count; POST adds one to it
package main

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"

	"example.com/services/serve"
)

const valueMax = 1 << 20

func main() {
	serve.Main("store", (&store{values: map[string][]byte{}, counts: map[string]int{}}).routes())
}

type store struct {
	mu     sync.Mutex
	values map[string][]byte
	counts map[string]int
}

func (s *store) routes() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /keys/{name}", s.get)
	mux.HandleFunc("PUT /keys/{name}", s.put)
	mux.HandleFunc("DELETE /keys/{name}", s.remove)
	mux.HandleFunc("GET /counters/{name}", s.count)
	mux.HandleFunc("POST /counters/{name}", s.add)
	return mux
}

func (s *store) get(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	value, found := s.values[r.PathValue("name")]
	s.mu.Unlock()
	if !found {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "application/octet-stream")
	w.Write(value)
}

func (s *store) put(w http.ResponseWriter, r *http.Request) {
	value, err := io.ReadAll(http.MaxBytesReader(w, r.Body, valueMax))
	var tooLong *http.MaxBytesError
	switch {
	case errors.As(err, &tooLong):
		http.Error(w, "a value has at most 1 MiB", http.StatusRequestEntityTooLarge)
		return
	case err != nil:
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	name := r.PathValue("name")
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, found := s.values[name]; found && r.Header.Get("If-None-Match") == "*" {
		http.Error(w, name+" has a value", http.StatusPreconditionFailed)
		return
	}
	s.values[name] = value
	w.WriteHeader(http.StatusNoContent)
}

func (s *store) remove(w http.ResponseWriter, r *http.Request) {
	name := r.PathValue("name")
	s.mu.Lock()
	defer s.mu.Unlock()
	if _, found := s.values[name]; !found {
		http.NotFound(w, r)
		return
	}
	delete(s.values, name)
	w.WriteHeader(http.StatusNoContent)
}

func (s *store) count(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	n := s.counts[r.PathValue("name")]
	s.mu.Unlock()
	fmt.Fprintln(w, n)
}

func (s *store) add(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.counts[r.PathValue("name")]++
	n := s.counts[r.PathValue("name")]
	s.mu.Unlock()
	fmt.Fprintln(w, n)
}
