// Package attach is how one haz has to do with a run of another: a run, or a watch, listens on a socket that only its owner can reach; who comes
// hears what has happened since the beginning and what happens from then on, or asks for one thing (chapter 3, 13.8 to 13.10).
//
// A conversation is lines of JSON. The run says who it is (Hello), the visitor what it wants (Request), the run answers (Answer), and after
// that, if it was asked to, tells events, the last of which is the end. A visitor costs the run a goroutine and its place in the log: one that is slow, or has
// stopped, misses what had to be forgotten meanwhile, and nobody waits for it.
package attach

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"
)

// Protocol is the number of this one. Whoever speaks another one is told so, and nothing else.
const Protocol = 1

// Hello is who a run is.
type Hello struct {
	Haz      string    `json:"haz"` // version
	Protocol int       `json:"protocol"`
	PID      int       `json:"pid"`
	Kind     string    `json:"kind"` // run or watch
	Command  []string  `json:"command"`
	Since    time.Time `json:"since"`
}

// What a visitor may want.
const (
	Look    = "look"    // what there is, and no more
	Follow  = "follow"  // what there is, and all events
	Cancel  = "cancel"  // end a task
	Restart = "restart" // start it again while it executes
	Rerun   = "rerun"   // run it once more, though it has ended
	Jobs    = "jobs"    // have that many tasks run at once
)

// Request is what a visitor wants.
type Request struct {
	Do   string `json:"do"`
	Task string `json:"task,omitempty"`
	Jobs int    `json:"jobs,omitempty"`
}

// Answer is what becomes of it.
type Answer struct {
	Refused string `json:"refused,omitempty"` // why nothing does
	Unknown bool   `json:"unknown,omitempty"` // since there is no such task
	Hint    string `json:"hint,omitempty"`
	Task    string `json:"task,omitempty"` // that was meant
	State   *State `json:"state,omitempty"`
}

// State is how far a run is. Of a watch that waits it is the last one's.
type State struct {
	Run      string `json:"run"`
	Selected int    `json:"selected"`
	Done     int    `json:"done"`
	Failed   int    `json:"failed"`
	Skipped  int    `json:"skipped"` // or cancelled
	Running  int    `json:"running"`
	Waiting  int    `json:"waiting"`
}

// Limits of a conversation.
const (
	maxRequest  = 64 << 10 // bytes of a request
	maxLine     = 16 << 20 // and of what a run says
	maxVisitors = 32
	patience    = 10 * time.Second // with one that says nothing
	farewell    = time.Second      // that the end of a run takes for its visitors
)

// errLong says that a line is longer than any that is sensible.
var errLong = errors.New("a line of the conversation is too long")

// reader reads lines.
type reader struct {
	in   *bufio.Reader
	most int
}

func newReader(in io.Reader, most int) *reader { return &reader{bufio.NewReaderSize(in, 4096), most} }

// line is the next one, without its end.
func (r *reader) line() ([]byte, error) {
	var whole []byte
	for {
		part, err := r.in.ReadSlice('\n')
		whole = append(whole, part...)
		switch {
		case len(whole) > r.most:
			return nil, errLong
		case err == nil:
			return whole[:len(whole)-1], nil
		case !errors.Is(err, bufio.ErrBufferFull):
			if err == io.EOF && len(whole) > 0 {
				err = io.ErrUnexpectedEOF
			}
			return nil, err
		}
	}
}

// read decodes the next line.
func (r *reader) read(into any) error {
	text, err := r.line()
	if err != nil {
		return err
	}
	if err := json.Unmarshal(text, into); err != nil {
		return fmt.Errorf("a line of the conversation makes no sense: %w", err)
	}
	return nil
}

// write encodes one line.
func write(out io.Writer, value any) error {
	text, err := json.Marshal(value)
	if err != nil {
		return err
	}
	_, err = out.Write(append(text, '\n'))
	return err
}
