package state

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/haz-build/haz/cache/digest"
	"github.com/haz-build/haz/cache/hasher"
	"github.com/haz-build/haz/fsys"
)

// log is a file of sealed records, each of one task, of which the last one counts. A run that stores a thousand tasks appends
// a thousand times to one file: a file for each record would cost an inode, and reading it four calls, each time.
//
// Many haz append at once: a record is one write in append mode, which local file systems do not tear apart, and one that is
// torn (a full disk, a power cut, a network file system) does not hold together and is skipped. What others have appended is
// found by the size of the file. Whoever may append holds a lock file in shared mode; the log is rewritten, to get rid of
// what does not count any more, by one that holds it exclusively. Should the file have lost its name all the same
// (.haz/state may be deleted at any time), a new one is opened.
type log struct {
	s     *State
	name  string // below .haz/state
	magic string
	most  int64 // bytes of a record; longer ones are not read

	mu       sync.Mutex
	f        logFile   // nil until needed
	lock     fsys.Lock // held while f is open; nil where locks do not work, and with a State that only reads
	appends  bool      // f was opened for writing
	gen      int       // counts the files that were opened
	rows     map[string]span
	tasks    int   // what the names in rows take, at most maxTasks
	live     int64 // bytes of the records in rows
	at       int64 // the end of the last record that holds together
	seen     int64 // the size up to which the file was looked at
	unwanted bool  // rows were dropped that are still in the file
}

// span is where a sealed record lies.
type span struct{ off, size int64 }

// recordHead is the beginning of a payload.
type recordHead struct {
	made int64 // unix seconds
	task string
}

func (h recordHead) appendTo(b []byte) []byte {
	b = binary.LittleEndian.AppendUint64(b, uint64(h.made))
	return appendString(b, h.task)
}

// parseRecordHead also returns what follows the head, which is not looked at.
func parseRecordHead(payload []byte) (h recordHead, body []byte, ok bool) {
	const fixed = 8
	if len(payload) < fixed {
		return h, nil, false
	}
	n, k := binary.Uvarint(payload[fixed:])
	if k <= 0 || n > uint64(len(payload)-fixed-k) {
		return h, nil, false
	}
	task := payload[fixed+k:][:n]
	return recordHead{made: int64(binary.LittleEndian.Uint64(payload)), task: string(task)}, payload[fixed+k+int(n):], true
}

type logFile interface {
	io.ReaderAt
	io.Writer
	io.Closer
	Info() (fsys.Info, error)
}

const (
	// logSlack is how much more than what counts a log may hold before Flush rewrites it.
	logSlack = 256 << 10
	// logWhole is up to what size a record is looked at in memory.
	logWhole = 64 << 10
)

// get returns the body of the record of task that counts, and where it lies. gen tells the file.
func (l *log) get(task string) (body []byte, at span, gen int, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.refresh(); err != nil {
		l.s.note(couldNotRead, l.name, err)
		return nil, span{}, l.gen, false
	}
	at, ok = l.rows[task]
	if !ok {
		return nil, span{}, l.gen, false
	}
	record := make([]byte, at.size)
	if _, err := l.f.ReadAt(record, at.off); err != nil {
		l.s.note(couldNotRead, l.name, err)
		return nil, at, l.gen, false
	}
	payload, ok := unseal(l.magic, record)
	if ok {
		_, body, ok = parseRecordHead(payload)
	}
	return body, at, l.gen, ok
}

// sameBut reports whether the record of task that counts has this body, the eight bytes at off aside. One whose seal is broken has not.
// It is read in pieces: what somebody else wrote may be as long as body, and there is no room for both.
func (l *log) sameBut(task string, body []byte, off int) (same bool) {
	start := append(recordHead{task: task}.appendTo(nil), body[:off+8]...)
	l.findAll([]string{task}, func(_ int, at span, _ int) {
		if at.size != int64(frameSize+len(start)+len(body)-off-8) {
			return
		}
		var err error
		if same, err = l.compare(at, start, body[off+8:]); err != nil {
			l.s.note(couldNotRead, l.name, err)
		}
	})
	return same
}

// compare reports whether the record at a span has the payload start and rest, but for the first and the last eight bytes of start, which
// are times, and whether its seal holds.
func (l *log) compare(at span, start, rest []byte) (same bool, err error) {
	r, h := io.NewSectionReader(l.f, at.off, at.size), hasher.New(digest.BLAKE3)
	first := make([]byte, frameSize+len(start))
	if _, err := io.ReadFull(r, first); err != nil {
		return false, err
	}
	head, begins := first[:frameSize], first[frameSize:]
	h.Write(begins)
	end := len(start) - 8
	same = bytes.Equal(begins[8:end], start[8:end])
	for chunk := make([]byte, min(logWhole, len(rest))); same && len(rest) > 0; rest = rest[len(chunk):] {
		chunk = chunk[:min(len(chunk), len(rest))]
		if _, err := io.ReadFull(r, chunk); err != nil {
			return false, err
		}
		h.Write(chunk)
		same = bytes.Equal(chunk, rest[:len(chunk)])
	}
	return same && bytes.Equal(head, headOf(l.magic, int(at.size-frameSize), hasher.Of(h))), nil
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

// fits reports whether a record with a body of so many bytes would be read.
func (l *log) fits(task string, body int) bool {
	const fixed = 8 + binary.MaxVarintLen64
	return int64(fixed+len(task)+body) <= l.most && fixed+len(task) <= logWhole-frameSize
}

// put appends a record made at a time, and returns the time of the file system. The record is lost, with a note, when the disk
// does not take it; the one before counts on. So it does when the record does not fit: callers put something in its place.
func (l *log) put(task string, made int64, body []byte) (stamp int64) {
	if !l.fits(task, len(body)) {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	stamp, err := l.append(recordHead{made: made, task: task}, body)
	if err != nil {
		l.s.note(couldNotWrite, l.name, err)
	}
	return stamp
}

func (l *log) append(head recordHead, body []byte) (stamp int64, err error) {
	record := seal(l.magic, append(head.appendTo(newFrame(32+len(head.task)+len(body))), body...))
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
			l.appended(head.task, int64(n), info.Size)
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

// count makes the record at a span the one of its task that counts. Of more tasks than anybody has nothing is known.
func (l *log) count(task string, at span) {
	l.at = at.off + at.size
	was, known := l.rows[task]
	if !known {
		if l.tasks+taskCost+len(task) > maxTasks {
			return
		}
		l.tasks += taskCost + len(task)
	}
	l.live += at.size - was.size
	l.rows[task] = at
}

// open makes sure that l.f is there, for writing if that is wanted.
func (l *log) open(write bool) error {
	if l.f != nil && (l.appends || !write) {
		return nil
	}
	l.drop()
	opened := func(d fsys.FS, flag int) error {
		f, err := d.OpenFile("/"+l.name, flag, filePerm)
		if err != nil {
			return err
		}
		file, ok := f.(logFile)
		if !ok {
			_ = f.Close()
			return errors.ErrUnsupported
		}
		l.f, l.appends = file, flag != os.O_RDONLY
		return nil
	}
	if write {
		return l.s.home.inDir(func(d fsys.FS) error {
			l.share(d)
			return opened(d, os.O_RDWR|os.O_APPEND|os.O_CREATE)
		})
	}
	for try := 0; ; try++ {
		d, err := l.s.home.open()
		if err != nil {
			return err
		}
		err = fs.ErrPermission
		if !l.s.home.readOnly {
			l.share(d)
			err = opened(d, os.O_RDWR|os.O_APPEND)
		}
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			err = opened(d, os.O_RDONLY)
		}
		if err == nil {
			return nil
		}
		l.drop()
		if try > 0 || !isStale(err) || !l.s.home.forgetDeleted() {
			return err
		}
	}
}

// share takes the lock that keeps the log from being rewritten. That takes milliseconds, and is waited for; where locks do
// not work nobody rewrites anything.
func (l *log) share(d fsys.FS) {
	l.unlock()
	for range 1000 {
		lock, err := fsys.TryLock(d, "/"+l.lockName(), fsys.Shared)
		if err == nil {
			l.lock = lock
		}
		if !errors.Is(err, fsys.ErrLocked) {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func (l *log) lockName() string { return l.name + ".lock" }

func (l *log) unlock() {
	if l.lock != nil {
		_ = l.lock.Unlock()
		l.lock = nil
	}
}

// drop forgets the open file and what is known of it.
func (l *log) drop() {
	if l.f != nil {
		_ = l.f.Close()
	}
	l.unlock()
	l.gen++
	l.f, l.appends, l.rows, l.tasks, l.live, l.at, l.seen, l.unwanted = nil, false, nil, 0, 0, 0, 0, false
}

// refresh looks at what was appended since the last time. The error is fs.ErrNotExist when there is no log.
func (l *log) refresh() error {
	for try := 0; ; try++ {
		if err := l.open(false); err != nil {
			return err
		}
		info, err := l.f.Info()
		if err == nil && info.Nlink > 0 && info.Size >= l.seen {
			if info.Size > l.seen {
				err = l.scan(info.Size)
			}
			return err
		}
		l.drop() // it has lost its name, or somebody cut it off
		if try > 0 {
			return err
		}
	}
}

// scan reads the records between l.at and size. What does not hold together is skipped up to the next record that does; at
// the end it may be one that is being written, and is looked at again.
func (l *log) scan(size int64) error {
	if l.rows == nil {
		l.rows = map[string]span{}
	}
	pos := l.at
	r := bufio.NewReaderSize(io.NewSectionReader(l.f, pos, size-pos), int(min(2*logWhole, size-pos)))
	skip := func(n int64) error {
		pos += n
		for n > 0 {
			k, err := r.Discard(int(min(n, 1<<30)))
			if err != nil {
				return err
			}
			n -= int64(k)
		}
		return nil
	}
	for {
		head, err := r.Peek(int(min(logWhole, size-pos)))
		if err != nil && err != io.EOF {
			return err
		}
		if len(head) < frameSize {
			l.seen = size
			return nil
		}
		if string(head[:magicSize]) != l.magic {
			next := bytes.Index(head[1:], []byte(l.magic)) + 1
			if next == 0 {
				next = len(head) - magicSize // the next one may begin in here
			}
			if err := skip(int64(next)); err != nil {
				return err
			}
			continue
		}
		h, n, err := l.check(head, pos, size)
		if err != nil {
			return err
		}
		if n == 0 {
			if err := skip(1); err != nil {
				return err
			}
			continue
		}
		l.count(h.task, span{pos, n})
		if err := skip(n); err != nil {
			return err
		}
	}
}

// check looks at the record at pos, which begins with ahead. n is its size; 0 when it does not hold together.
func (l *log) check(ahead []byte, pos, size int64) (head recordHead, n int64, err error) {
	length := binary.LittleEndian.Uint64(ahead[magicSize:])
	if length > uint64(min(size-pos-frameSize, l.most)) {
		return head, 0, nil
	}
	n = frameSize + int64(length)
	ahead = ahead[:min(n, int64(len(ahead)))]
	head, _, ok := parseRecordHead(ahead[frameSize:])
	if !ok {
		return head, 0, nil
	}
	if n == int64(len(ahead)) {
		_, ok = unseal(l.magic, ahead)
	} else {
		h := hasher.New(digest.BLAKE3)
		if _, err := io.Copy(h, io.NewSectionReader(l.f, pos+frameSize, int64(length))); err != nil {
			return head, 0, err
		}
		sum := hasher.Of(h)
		ok = string(sum[:]) == string(ahead[magicSize+8:frameSize])
	}
	if !ok {
		return head, 0, nil
	}
	return head, n, nil
}

// forget drops the records of tasks that are not known and were made before limit (unix seconds), which is asked for only if
// there are such tasks.
func (l *log) forget(known map[string]bool, limit func() int64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.refresh() != nil {
		return
	}
	for task, at := range l.rows {
		if known[task] {
			continue
		}
		head := make([]byte, min(at.size, logWhole))
		if _, err := l.f.ReadAt(head, at.off); err != nil {
			continue
		}
		if h, _, ok := parseRecordHead(head[frameSize:]); ok && h.made < limit() {
			delete(l.rows, task)
			l.tasks -= taskCost + len(task)
			l.live -= at.size
			l.unwanted = true
		}
	}
}

// flush rewrites a log that holds much more than what counts, and gives its handle back.
func (l *log) flush() {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.f != nil && l.lock != nil && l.refresh() == nil && l.wasteful() {
		// Failing to do so harms nothing: the next flush tries again.
		_ = l.s.home.inDir(l.compact)
	}
	l.drop()
}

func (l *log) wasteful() bool { return l.unwanted || l.seen-l.live > l.live+logSlack }

// compact writes what counts to a new file and renames it into place, if nobody else has the log open.
func (l *log) compact(d fsys.FS) error {
	l.unlock()
	lock, err := fsys.TryLock(d, "/"+l.lockName(), fsys.Exclusive)
	if err != nil {
		return err
	}
	defer lock.Unlock()
	unwanted := l.unwanted
	if err := l.refresh(); err != nil || l.unwanted != unwanted || !l.wasteful() {
		return err // somebody else was there between the two locks
	}
	spans := make([]span, 0, len(l.rows))
	for _, at := range l.rows {
		spans = append(spans, at)
	}
	slices.SortFunc(spans, func(a, b span) int { return cmp.Compare(a.off, b.off) })
	return fsys.ReplaceFile(d, l.name, filePerm, func(f fsys.SyncWriter) error {
		w := bufio.NewWriterSize(f, logWhole)
		for _, at := range spans {
			if _, err := io.Copy(w, io.NewSectionReader(l.f, at.off, at.size)); err != nil {
				return err
			}
		}
		return w.Flush()
	})
}
