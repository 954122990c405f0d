// Package faults holds no code: its folders hold the tests of what relayconf promises to survive. They are in a module
// of their own, because what they need is too heavy for the library's go.mod. What is proven, and by which test, is
// listed in docs/guarantees.md.
package faults
