// Package faults holds no code: its folders hold the tests of the faults that relayconf promises to survive. They are in
// a module of their own, because their dependencies are too heavy for the library's go.mod. docs/guarantees.md lists each
// promise with its test.
package faults
