package actorstest_test

import (
	"fmt"
	"log"

	"github.com/haz-build/haz/actors/actorstest"
)

// A run of a random workspace, on a machine where everything may take long, messages come late or twice, and the 40th message kills
// the actor that gets it. All of that comes from two seeds, so it can be had again, message by message.
func ExampleRun() {
	once := func() *actorstest.Report {
		world, err := actorstest.NewWorld(7, actorstest.WorldOptions{MaxTasks: 8, Failures: true})
		if err != nil {
			log.Fatal(err)
		}
		return actorstest.Run(world, actorstest.RunOptions{Seed: 42, KeepTrace: true,
			Faults: actorstest.Faults{Late: 100, Twice: 50, Slow: 50, PanicAt: 40}})
	}
	first, second := once(), once()
	fmt.Println("invariants that did not hold:", len(first.Broken))
	fmt.Println("the same again:", first.Trace == second.Trace && len(first.Lines) == len(second.Lines))
	fmt.Println("enough happened:", first.Steps > 40 && len(first.Result.Outcomes) > 0)
	// Output:
	// invariants that did not hold: 0
	// the same again: true
	// enough happened: true
}
