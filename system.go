package haz

import (
	"log/slog"
	"sync"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/haz-build/haz/actors"
)

// keptSystem is the actor system of a workspace, which its runs share: making one costs many times what a run with nothing to do does.
// Idle it has no goroutine. It is made by the first run with tasks.
type keptSystem struct {
	mu     sync.Mutex
	system *actor.ActorSystem
}

// actorSystem is that of the host, or our own.
func (w *Workspace) actorSystem() *actor.ActorSystem {
	if w.o.system != nil {
		return w.o.system
	}
	return w.system.get(w.o.logger)
}

func (k *keptSystem) get(logger *slog.Logger) *actor.ActorSystem {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.system == nil {
		k.system = actors.NewSystem(logger)
	}
	return k.system
}

func (k *keptSystem) close() {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.system != nil && !k.system.IsStopped() {
		k.system.Shutdown()
	}
}
