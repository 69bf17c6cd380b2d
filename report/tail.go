package report

const (
	tailLines = 20  // of a failed task, shown again at the end of a run
	tailWidth = 400 // bytes of such a line
	tailTasks = 20  // how many failed tasks are shown so
)

// tail keeps the last lines of a task, so that a failure that scrolled away can be shown where the run ends. Its memory is
// bounded, and used again line by line.
type tail struct {
	lines [tailLines][]byte
	n     int // lines that were added
}

func (t *tail) add(line []byte) {
	slot := &t.lines[t.n%tailLines]
	*slot = append((*slot)[:0], line[:min(len(line), tailWidth)]...)
	if len(line) > tailWidth {
		*slot = append(*slot, "..."...)
	}
	t.n++
}

// all hands on the lines that were kept, oldest first.
func (t *tail) all(emit func(line []byte)) {
	for i := max(0, t.n-tailLines); i < t.n; i++ {
		emit(t.lines[i%tailLines])
	}
}
