// Package tests asks the servers what a browser would, by HTTP. `haz run e2e` starts them, and stops them afterwards.
package tests

import (
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"os"
	"path"
	"strings"
	"testing"
	"time"
)

// client does not follow redirects: they are what is tested.
var client = http.Client{
	Timeout:       10 * time.Second,
	CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
}

// at is where a server is.
func at(t *testing.T, variable string) string {
	t.Helper()
	u := os.Getenv(variable)
	if u == "" {
		t.Fatalf("%s is not set: haz run e2e starts what this test needs, and says where it is", variable)
	}
	return u
}

// said is status, body and Location of an answer.
func said(t *testing.T, answer *http.Response, err error) (int, string, string) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
	defer answer.Body.Close()
	b, err := io.ReadAll(answer.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer.StatusCode, strings.TrimSpace(string(b)), answer.Header.Get("Location")
}

// A link that was made leads where it should, is counted, and lies in the store.
func TestALinkLeadsSomewhere(t *testing.T) {
	web, store := at(t, "WEB_URL"), at(t, "STORE_URL")
	const long = "https://go.dev/doc/effective_go?x=1#names"
	answer, err := client.PostForm(web+"/links", url.Values{"url": {long}})
	status, short, _ := said(t, answer, err)
	if status != http.StatusCreated || !strings.HasPrefix(short, web+"/") {
		t.Fatalf("%d %q", status, short)
	}
	for range 3 {
		answer, err = client.Get(short)
		if status, _, to := said(t, answer, err); status != http.StatusFound || to != long {
			t.Errorf("%d, leads to %q", status, to)
		}
	}
	answer, err = client.Get(web + "/links/" + path.Base(short))
	_, text, _ := said(t, answer, err)
	var link struct {
		URL    string
		Visits int
	}
	if err := json.Unmarshal([]byte(text), &link); err != nil || link.URL != long || link.Visits != 3 {
		t.Errorf("%q: %+v, %v", text, link, err)
	}
	answer, err = client.Get(store + "/keys/" + path.Base(short))
	if status, value, _ := said(t, answer, err); status != http.StatusOK || value != long {
		t.Errorf("the store has %q, %d", value, status)
	}
	answer, err = client.PostForm(web+"/links", url.Values{"url": {long}})
	if _, again, _ := said(t, answer, err); again != short {
		t.Errorf("once more: %q, was %q", again, short)
	}
}

func TestWhatIsNoLink(t *testing.T) {
	web := at(t, "WEB_URL")
	answer, err := client.Get(web + "/nowhere")
	if status, _, _ := said(t, answer, err); status != http.StatusNotFound {
		t.Errorf("a name that nobody has given: %d", status)
	}
	for _, bad := range []string{"", "ftp://example.com/x", "//example.com", "example.com", "http://"} {
		answer, err := client.PostForm(web+"/links", url.Values{"url": {bad}})
		if status, _, _ := said(t, answer, err); status != http.StatusBadRequest {
			t.Errorf("%q: %d", bad, status)
		}
	}
}

// The page that a browser shows has the form.
func TestThePage(t *testing.T) {
	answer, err := client.Get(at(t, "WEB_URL"))
	if status, text, _ := said(t, answer, err); status != http.StatusOK || !strings.Contains(text, `action="/links"`) {
		t.Errorf("%d %q", status, text)
	}
}
