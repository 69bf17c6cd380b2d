package actorstest

import (
	"fmt"
	"slices"
	"testing"

	"github.com/asynkron/protoactor-go/actor"

	"github.com/haz-build/haz/actors"
)

// Words that only wake somebody up are never needed: with all of a kind lost, runs may take longer and come to the same.
func TestMuteWords(t *testing.T) {
	var words []string
	for word := range wakesUp {
		words = append(words, word)
	}
	slices.Sort(words)
	seeds(t, 160, func(seed int64) []string {
		w := world(seed, WorldOptions{MaxTasks: 8, Failures: true})
		f := Faults{Slow: 100, InOrder: seed%8 < 4, Mute: words[int(seed)%len(words)]}
		return runTwice(w, RunOptions{Seed: seed, Cap: 8, Faults: f}, RunOptions{Seed: seed + 1, Faults: f})
	})
}

// Of any kind of message all may be lost: the run ends, and says that it was lost (S-10). The one exception is the supervisor's
// word to the root that the run has ended, which it repeats until it is heard.
func TestMuteKinds(t *testing.T) {
	kinds := kindsOfMessages()
	if len(kinds) < 40 {
		t.Fatalf("only %d kinds of messages were seen: %v", len(kinds), kinds)
	}
	seeds(t, 3*len(kinds), func(seed int64) []string {
		w := world(seed, WorldOptions{MaxTasks: 6, Failures: true})
		f := Faults{Mute: kinds[int(seed)%len(kinds)]}
		if int(seed)/len(kinds)%3 == 2 {
			f.CancelAt = 1 + int(seed)%60
		}
		r := Run(w, RunOptions{Seed: seed, Faults: f})
		if len(r.Broken) > 0 {
			return append([]string{"without " + f.Mute + ":"}, r.Broken...)
		}
		return nil
	})
}

// kindsOfMessages are the types of what some runs send, the exception left out.
func kindsOfMessages() []string {
	seen := map[string]bool{}
	for seed := range int64(30) {
		w := world(seed, WorldOptions{MaxTasks: 8, Failures: true})
		for i := range 2 { // the second finds the cache full
			Run(w, RunOptions{Seed: seed, Faults: Faults{Late: 50, CancelAt: i * int(seed%3) * 20}, Break: func(o *actors.Options) {
				props := o.Props
				o.Props = func(name string, p *actor.Props) *actor.Props {
					return props(name, p.Configure(actor.WithReceiverMiddleware(func(next actor.ReceiverFunc) actor.ReceiverFunc {
						return func(c actor.ReceiverContext, e *actor.MessageEnvelope) {
							if fallible(name, e.Message) {
								seen[fmt.Sprintf("%T", e.Message)] = true
							}
							next(c, e)
						}
					})))
				}
			}})
		}
	}
	var kinds []string
	for kind := range seen {
		if kind != "messages.RunEnded" {
			kinds = append(kinds, kind)
		}
	}
	slices.Sort(kinds)
	return kinds
}
