// Command hello greets somebody: hello LANGUAGE HOUR NAME.
package main

import (
	"fmt"
	"os"
	"strconv"

	"example.com/monorepo/libs/clock"
	"example.com/monorepo/libs/greet"
)

func main() {
	if len(os.Args) != 4 {
		fmt.Fprintln(os.Stderr, "usage: hello LANGUAGE HOUR NAME")
		os.Exit(2)
	}
	hour, err := strconv.Atoi(os.Args[2])
	if err != nil {
		fmt.Fprintln(os.Stderr, "hello:", err)
		os.Exit(2)
	}
	text, err := greet.Greet(os.Args[1], clock.Part(hour), os.Args[3])
	if err != nil {
		fmt.Fprintln(os.Stderr, "hello:", err)
		os.Exit(1)
	}
	fmt.Println(text)
}
