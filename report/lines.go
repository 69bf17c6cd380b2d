package report

import "bytes"

// maxLine is where a line is cut (chapter 2, section 12).
const maxLine = 1 << 20

// lines cuts a stream into lines. It keeps the unfinished last one, at most maxLine bytes.
type lines struct{ partial []byte }

// feed hands on, without their newline, the lines that b completes. A line above maxLine comes in pieces of that size.
// emit must not keep its argument.
func (l *lines) feed(b []byte, emit func(line []byte)) {
	for len(b) > 0 {
		i := bytes.IndexByte(b, '\n')
		if i < 0 {
			l.hold(b, emit)
			return
		}
		part := b[:i]
		b = b[i+1:]
		if len(l.partial) == 0 && len(part) <= maxLine {
			emit(part)
			continue
		}
		l.hold(part, emit)
		emit(l.partial)
		l.drop()
	}
}

// end hands on the last line when it lacks its newline.
func (l *lines) end(emit func(line []byte)) {
	if len(l.partial) > 0 {
		emit(l.partial)
	}
	l.partial = nil
}

// hold adds to the unfinished line; a full piece goes out once it is known that more of its line follows.
func (l *lines) hold(b []byte, emit func(line []byte)) {
	for len(b) > 0 {
		if len(l.partial) == maxLine {
			emit(l.partial)
			l.partial = l.partial[:0]
		}
		n := min(len(b), maxLine-len(l.partial))
		l.partial = append(l.partial, b[:n]...)
		b = b[n:]
	}
}

// drop empties the buffer, and gives a large one back.
func (l *lines) drop() {
	if cap(l.partial) > 64<<10 {
		l.partial = nil
	}
	l.partial = l.partial[:0]
}
