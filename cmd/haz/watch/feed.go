package watch

import "time"

// Feed counts in how many runs on end, the last one included, a file changed while tasks ran. One that changes in each is
// written by a task that reads it, so that running again for it would never come to an end.
type Feed struct {
	rounds map[string]int
	told   map[string]bool
	hands  map[string]bool // changed during this run, by somebody else
}

const (
	// FeedRounds is how many such runs are enough.
	FeedRounds = 3
	// Early is how long after the beginning of a task what changes may be its doing. A task that goes on for longer and writes what it reads
	// does so when it begins, or it ends soon afterwards and its run is counted when that has ended: an edit of the files of a server, which
	// only ever changes while it runs, must not be taken for the server's.
	Early = 3 * time.Second
)

// Hungry takes out of what changed the files that are no reason for one more run, and names those for the first
// time. A file that changes while nothing runs was changed by somebody else, and counts anew. Of a run that was stopped (during it)
// During has judged already: what it let pass for the third time has one run more.
func (f *Feed) Hungry(changed []string, duringRun, stopped bool) (left, news []string) {
	f.begin()
	if !duringRun {
		for _, p := range changed {
			delete(f.rounds, p)
			delete(f.told, p)
		}
		return changed, nil
	}
	most := FeedRounds - 1
	if stopped {
		most = FeedRounds
	}
	rounds := map[string]int{}
	for _, p := range changed {
		if stopped && f.hands[p] {
			left = append(left, p)
			continue
		}
		rounds[p] = f.rounds[p] + 1
		switch {
		case rounds[p] <= most:
			left = append(left, p)
		case !f.told[p]:
			f.told[p] = true
			news = append(news, p)
		}
	}
	f.rounds, f.hands = rounds, map[string]bool{}
	return left, news
}

// During judges what has changed since the last look during a run, of which the youngest task is that old: what may stop it now, and what may do
// so only when that task is Early old, since it has stopped runs on end. What goes on after that is left alone, and named for the first time.
func (f *Feed) During(changed []string, age time.Duration) (now, later, news []string) {
	f.begin()
	for _, p := range changed {
		switch n := f.rounds[p] + 1; {
		case age >= Early:
			f.hands[p] = true
			delete(f.rounds, p)
			delete(f.told, p)
			now = append(now, p)
		case n < FeedRounds:
			now = append(now, p)
		case n == FeedRounds:
			later = append(later, p)
		case !f.told[p]:
			f.told[p] = true
			news = append(news, p)
		}
	}
	return now, later, news
}

func (f *Feed) begin() {
	if f.rounds == nil {
		f.rounds, f.told, f.hands = map[string]int{}, map[string]bool{}, map[string]bool{}
	}
}
