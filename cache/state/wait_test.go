package state

import (
	"slices"
	"testing"
)

func (h haz) wait(t *testing.T, on Refused) *Wait {
	t.Helper()
	w := h.s.BeginWait()
	t.Cleanup(w.End)
	if cycle := w.For(&on); cycle != nil {
		t.Errorf("a cycle too early: %v", cycle)
	}
	return w
}

// The outer haz is 1; it runs p:a as process 11 and p:b as 12. Each starts a haz that waits for the other task.
func TestCycleOfWaiting(t *testing.T) {
	f := hostDisk(t)
	if !hasBoard(f) {
		t.Skip("no board here")
	}
	underA, underB, other := newHaz(f, 20, 11, 1), newHaz(f, 30, 12, 1), newHaz(f, 40)
	onA, onB := Refused{Task: "p:a", HazPID: 1, TaskPID: 11}, Refused{Task: "p:b", HazPID: 1, TaskPID: 12}
	other.wait(t, onA)
	other.wait(t, onB) // waits, and is waited for by nobody
	a := underA.wait(t, onB)
	b := underB.s.BeginWait()
	defer b.End()
	if got, want := b.For(&onA), []Link{{30, 11}, {20, 12}}; !slices.Equal(got, want) {
		t.Errorf("cycle %v, want %v", got, want)
	}
	if got, want := a.For(&onB), []Link{{20, 12}, {30, 11}}; !slices.Equal(got, want) {
		t.Errorf("cycle %v, want %v", got, want)
	}
	b.End()
	if got := a.For(&onB); got != nil {
		t.Errorf("cycle %v with somebody who waits no more", got)
	}
}

// Three in a ring, and one that waits for it without being part of it.
func TestLongCycleOfWaiting(t *testing.T) {
	f := hostDisk(t)
	if !hasBoard(f) {
		t.Skip("no board here")
	}
	x, y, z := newHaz(f, 20, 11, 1), newHaz(f, 30, 12, 1), newHaz(f, 40, 13, 2)
	x.wait(t, Refused{TaskPID: 12})
	y.wait(t, Refused{TaskPID: 13})
	last := z.s.BeginWait()
	defer last.End()
	if got, want := last.For(&Refused{TaskPID: 11}), []Link{{40, 11}, {20, 12}, {30, 13}}; !slices.Equal(got, want) {
		t.Errorf("cycle %v, want %v", got, want)
	}
	newHaz(f, 50, 14, 1).wait(t, Refused{TaskPID: 11})
}

// A holder whose process is not known (yet) is waited for without a note.
func TestWaitForAnUnknownProcess(t *testing.T) {
	f := hostDisk(t)
	if !hasBoard(f) {
		t.Skip("no board here")
	}
	w := newHaz(f, 20, 11, 1).wait(t, Refused{Task: "p:b", TaskPID: 12})
	if w.For(&Refused{Task: "p:b", HazPID: 1}) != nil || w.mark != 0 {
		t.Errorf("mark %d", w.mark)
	}
}
