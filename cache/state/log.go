package state

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"sync"

	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/cache/text"
	"github.com/haz-build/haz/fsys"
)

// log is a file of records, each of one task, of which the last one counts. A record is a text (package text), so that whoever looks into
// the file can read it. A run that stores a thousand tasks appends a thousand times to one file: a file for each record would cost an
// inode, and reading it four calls, each time.
//
// Many haz append at once: a record is one write in append mode, which local file systems do not tear apart, and one that is
// torn (a full disk, a power cut, a network file system) does not hold together and is skipped. What others have appended is
// found by the size of the file. Whoever may append holds a lock file in shared mode; the log is rewritten, to get rid of
// what does not count any more, by one that holds it exclusively. Should the file have lost its name all the same
// (.haz/state may be deleted at any time), a new one is opened.
type log struct {
	s    *State
	name string // below .haz/state
	kind string // of the texts
	most int64  // bytes of a record; longer ones are not read

	mu       sync.Mutex
	f        logFile   // nil until needed
	lock     fsys.Lock // held while f is open; nil where locks do not work, and with a State that only reads
	appends  bool      // f was opened for writing
	gen      int       // counts the files that were opened
	rows     map[string]span
	tasks    int    // what the names in rows take, at most maxTasks
	live     int64  // bytes of the records in rows
	at       int64  // the end of the last record that holds together
	seen     int64  // the size up to which the file was looked at
	text     []byte // how the file begins, as it was looked at; records in it held together then. Nothing that a row names is overwritten
	unwanted bool   // rows were dropped that are still in the file
}

// span is where a sealed record lies.
type span struct{ off, size int64 }

// get returns the record of task that counts, whose digest was right when it was found. at is where it lies, gen tells the file.
func (l *log) get(task string) (record []byte, at span, gen int, ok bool) {
	at, gen, ok = l.read(task, func(at span) (err error) {
		record, err = l.bytes(at)
		return err
	})
	return record, at, gen, ok
}

// parse has do read what the record of task that counts says, between the line that names the task and the one that says when it was made.
// ok is false when there is no such record, or it is not spelled so.
func (l *log) parse(task string, do func(r *text.Reader, hash string)) (made int64, at span, gen int, ok bool) {
	at, gen, ok = l.read(task, func(at span) error {
		var r *text.Reader
		if record := l.kept(at); record != nil {
			r = text.Verified(record)
		} else if at.size > text.MaxLine {
			r = text.Stream(io.NewSectionReader(l.f, at.off, at.size), at.size)
		} else if record, err := l.bytes(at); err == nil {
			r = text.Read(record)
		} else {
			return err
		}
		revision, hash := r.Head(l.kind)
		if r.Line(wordTask); r.Str(maxTaskLine) != task || revision != recordRevision {
			r.Fail(text.ErrSpelling)
		}
		do(r, hash)
		r.Line(wordMade)
		made = r.Int()
		r.Verify()
		return r.Err()
	})
	return made, at, gen, ok
}

// maxText is up to which size of a log it is kept in memory, in bytes: a call for each record is more than the record costs.
const maxText = 4 << 20

// kept is a record that is in memory; nil: it is not.
func (l *log) kept(at span) []byte {
	if end := at.off + at.size; end <= int64(len(l.text)) {
		return l.text[at.off:end:end]
	}
	return nil
}

// bytes are those of a record.
func (l *log) bytes(at span) ([]byte, error) {
	if record := l.kept(at); record != nil {
		return record, nil
	}
	record := make([]byte, at.size)
	if _, err := l.f.ReadAt(record, at.off); err != nil {
		return nil, &text.ReadError{Err: err}
	}
	return record, nil
}

// read has do read the record of task that counts.
func (l *log) read(task string, do func(at span) error) (at span, gen int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.refresh(); err != nil {
		l.s.note(couldNotRead, l.name, err)
		return span{}, l.gen, false
	}
	if at, ok = l.rows[task]; !ok {
		return span{}, l.gen, false
	}
	err := do(at)
	var unread *text.ReadError
	if errors.As(err, &unread) {
		l.s.note(couldNotRead, l.name, unread.Err)
	}
	return at, l.gen, err == nil
}

// made is when the record at a span was made, in unix seconds.
func (l *log) made(at span) (unix int64, err error) {
	end := make([]byte, min(at.size, maxEnd))
	if _, err := l.f.ReadAt(end, at.off+at.size-int64(len(end))); err != nil {
		return 0, err
	}
	r := text.Read(end[bytes.LastIndex(end, []byte("\n"+wordMade+" "))+1:])
	r.Line(wordMade)
	unix = r.Int()
	return unix, r.Err()
}

// says reports whether the record of task that counts says what a new one does, when it was made aside. One whose seal is broken does not.
// It is read in pieces: what somebody else wrote may be as long as the new one, and there is no room for both.
func (l *log) says(task string, record []byte) (same bool) {
	l.findAll([]string{task}, func(_ int, at span, _ int) {
		var err error
		if same, err = l.compare(at, record[:bytes.LastIndex(record, []byte("\n"+wordMade+" "))+1]); err != nil {
			l.s.note(couldNotRead, l.name, err)
		}
	})
	return same
}

// compare reports whether the record at a span begins with lines, and has nothing after them but when it was made, and its seal.
func (l *log) compare(at span, lines []byte) (same bool, err error) {
	rest := at.size - int64(len(lines))
	if rest < 0 || rest > maxEnd {
		return false, nil
	}
	r := io.NewSectionReader(l.f, at.off, at.size)
	piece := make([]byte, min(scanWindow, len(lines)))
	for left := lines; len(left) > 0; left = left[len(piece):] {
		piece = piece[:min(len(piece), len(left))]
		if _, err := io.ReadFull(r, piece); err != nil {
			return false, err
		}
		if !bytes.Equal(piece, left[:len(piece)]) {
			return false, nil
		}
	}
	end := make([]byte, rest)
	if _, err := io.ReadFull(r, end); err != nil {
		return false, err
	}
	h := hasher.New(l.s.fn)
	h.Write(lines)
	h.Write(end[:max(0, len(end)-text.SealSize)])
	seal := text.Read(end)
	seal.Line(wordMade)
	seal.Int()
	seal.Line(wordDigest)
	return seal.Digest() == hasher.Of(h) && seal.Err() == nil, nil
}

// find is get without reading the record.
func (l *log) find(task string) (at span, gen int, ok bool) {
	l.findAll([]string{task}, func(_ int, a span, g int) { at, gen, ok = a, g, true })
	return at, gen, ok
}

// findAll says of each task that has a record where it lies, as of one look at the file.
func (l *log) findAll(tasks []string, found func(i int, at span, gen int)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(tasks) == 0 {
		return
	}
	if err := l.refresh(); err != nil {
		l.s.note(couldNotRead, l.name, err)
		return
	}
	for i, task := range tasks {
		if at, ok := l.rows[task]; ok {
			found(i, at, l.gen)
		}
	}
}

// any reports whether there is a record at all.
func (l *log) any() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.refresh() == nil && len(l.rows) > 0
}

const (
	// recordRevision is that of records, those of last keys aside.
	recordRevision = 1
	// maxEnd is more than the last two lines of a record have, in bytes.
	maxEnd = 512
)

// record begins a record.
func (l *log) record(task string) *text.Writer {
	w := &text.Writer{}
	w.Head(l.kind, recordRevision, l.s.fn)
	w.Line(wordTask)
	w.Str(task)
	return w
}

// end ends a record that is made at a time.
func (l *log) end(w *text.Writer, made int64) []byte {
	w.Line(wordMade)
	w.Int(made)
	w.Seal(l.s.fn)
	return w.B
}

// fits reports whether a record would be read.
func (l *log) fits(task string, record []byte) bool {
	if int64(len(record)) > l.most || text.Len(task) > maxTaskLine-len(wordTask)-2 {
		return false
	}
	for len(record) > text.MaxLine {
		end := bytes.LastIndexByte(record[:text.MaxLine], '\n')
		if end < 0 {
			return false
		}
		record = record[end+1:]
	}
	return true
}

// put appends a record, and returns the time of the file system. It is lost, with a note, when the disk does not take it; the one before
// counts on. So it does when the record does not fit: callers put something in its place.
func (l *log) put(task string, record []byte) (stamp int64) {
	if !l.fits(task, record) {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	stamp, err := l.append(task, record)
	if err != nil {
		l.s.note(couldNotWrite, l.name, err)
	}
	return stamp
}

func (l *log) append(task string, record []byte) (stamp int64, err error) {
	for range 2 {
		if err := l.open(true); err != nil {
			return 0, err
		}
		n, err := l.f.Write(record)
		if err == nil && n < len(record) {
			err = io.ErrShortWrite
		}
		if err != nil {
			return 0, err
		}
		info, err := l.f.Info()
		if err != nil {
			return 0, err
		}
		if info.Nlink > 0 {
			l.appended(task, int64(n), info.Size)
			return info.MTime, nil
		}
		l.drop()
	}
	return 0, fs.ErrNotExist
}

// appended notes our own record of n bytes, unless somebody else has written meanwhile: then refresh finds it.
func (l *log) appended(task string, n, size int64) {
	if l.rows != nil && l.at == l.seen && size == l.seen+n {
		l.count(task, span{l.seen, n})
		l.seen = size
	}
}

// look says of each task that has a record where it lies, and which file that is, with the end of its last record.
func (l *log) look(tasks []string, found func(i int, at span), file func(info fsys.Info, size int64)) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.refresh() != nil {
		return
	}
	info, err := l.f.Info()
	if err != nil {
		return
	}
	file(info, l.at)
	for i, task := range tasks {
		if at, ok := l.rows[task]; ok {
			found(i, at)
		}
	}
}
