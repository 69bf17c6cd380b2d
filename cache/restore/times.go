package restore

import (
	"time"

	"github.com/haz-build/haz/fsys"
)

// The times of what is restored. Tools (make, ninja, cargo) take a file for stale when something that it was made from is newer. So
// all files of a restore get one time, the latest at which one of them was staged: none is older than another one, nor than an input.
//
// Where a part of the result is in place and was left alone, that would make what came back newer than what was made from it. So
// there, what the product list lists with these very bytes, for this very key, gets the time back that it had. And so it does where all of
// it is gone and no input is newer than what the task had made then: other tools note the time of a file beside what they know of
// it (Python's bytecode), and take it for another file when the time is another one.

// settleTimes finds out which time that is.
func (r *restore) settleTimes() {
	for _, p := range r.staged {
		r.time = max(r.time, r.mtimes[p.output])
	}
	for i := range r.p.seen {
		r.again = r.again || r.p.seen[i].Kind == fsys.File
	}
	if r.p.Target.Products.Key != r.key() {
		r.again = false
		return
	}
	if r.again || len(r.staged) == 0 {
		return
	}
	oldest := r.time
	for _, p := range r.staged {
		if at, ok := r.timeBefore(p.output); ok {
			oldest = min(oldest, at)
		}
	}
	r.again = r.p.Target.NewestInput == nil || r.p.Target.NewestInput() <= oldest
}

// timeBefore is the time that the product list has of an output, if it had these bytes.
func (r *restore) timeBefore(output int) (int64, bool) {
	o := &r.p.Manifest.Outputs[output]
	row, ok := r.p.Target.Products.Find(o.Path)
	if !ok || !row.HasDigest || row.Digest != o.Digest || row.Info.MTime > r.time {
		return 0, false
	}
	return row.Info.MTime, true
}

// timeFor is the time that an output gets, in nanoseconds.
func (r *restore) timeFor(output int) int64 {
	if at, ok := r.timeBefore(output); ok && r.again {
		return at
	}
	return r.time
}

// setTime gives the staged file of an output, which has the time has, its time. That it fails is no reason to run the task.
func (r *restore) setTime(p placed, has int64) {
	want := r.timeFor(p.output)
	if want == has {
		return
	}
	t := time.Unix(0, want)
	if p.file != nil {
		_ = p.file.Chtimes(t)
	} else {
		_ = p.area.dir.Chtimes(p.name, t, t)
	}
}
