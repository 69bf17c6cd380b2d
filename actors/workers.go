package actors

import (
	"container/heap"
	"sync"
)

// workers run blocking work outside of Receive, at most so many at a time, in canonical order of their tasks. Work must not
// wait for grants or locks: what would release the wait may need a worker.
type workers struct {
	start func(func())
	limit int

	mu      sync.Mutex
	queue   workHeap
	serial  int
	running int
	load    int // queued and running
}

type work struct {
	task, serial int
	do           func()
	failed       func(reason, stack string) // after a panic in do
	after        func()                     // when it does not count as load any more
}

func newWorkers(limit int, start func(func())) *workers {
	return &workers{start: start, limit: max(1, limit)}
}

// submit queues work of a task.
func (w *workers) submit(task int, do func(), failed func(reason, stack string), after func()) {
	w.mu.Lock()
	w.serial++
	w.load++
	heap.Push(&w.queue, work{task, w.serial, do, failed, after})
	spawn := w.running < w.limit
	if spawn {
		w.running++
	}
	w.mu.Unlock()
	if spawn {
		w.start(w.loop)
	}
}

func (w *workers) loop() {
	for {
		w.mu.Lock()
		if len(w.queue) == 0 {
			w.running--
			w.mu.Unlock()
			return
		}
		next := heap.Pop(&w.queue).(work)
		w.mu.Unlock()
		next.run()
		w.mu.Lock()
		w.load--
		w.mu.Unlock()
		next.after()
	}
}

func (k work) run() {
	if p := caught(k.do); p != nil {
		k.failed(p.reason, p.stack)
	}
}

func (w *workers) busy() int {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.load
}

type workHeap []work

func (h workHeap) Len() int { return len(h) }
func (h workHeap) Less(i, j int) bool {
	return h[i].task < h[j].task || h[i].task == h[j].task && h[i].serial < h[j].serial
}
func (h workHeap) Swap(i, j int) { h[i], h[j] = h[j], h[i] }
func (h *workHeap) Push(x any)   { *h = append(*h, x.(work)) }
func (h *workHeap) Pop() any {
	old := *h
	x := old[len(old)-1]
	*h = old[:len(old)-1]
	return x
}
