package schedule

import "github.com/haz-build/haz/messages"

// setSlots changes how many tasks may execute at a time (EXEC-085). Who holds a slot keeps it. The order of processes is not that of any other
// run from now on, so nobody waits for its sake.
func (a *Admission) setSlots(m messages.SetSlots) {
	a.slots, a.c.Cap, a.ordered, a.unsettled = m.N, m.Slots, false, nil
}
