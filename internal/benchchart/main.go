// Command benchchart reads the output of the benchmarks of autoconfig, prints a table of the medians and their ratios, and
// draws the time of a put against the number of environments:
//
//	go run ./internal/benchchart docs/performance.svg < benchmark-output
package main

import (
	"fmt"
	"log"
	"os"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) != 2 {
		log.Fatal("benchchart: name the SVG file to write; the benchmarks' output is read from standard input")
	}
	results, err := parse(os.Stdin)
	if err != nil {
		log.Fatal("benchchart: ", err)
	}
	fmt.Print(table(results))
	if err := os.WriteFile(os.Args[1], []byte(chart(results)), 0o644); err != nil {
		log.Fatal("benchchart: ", err)
	}
}
