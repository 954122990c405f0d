package store

import "context"

// Turn makes calls one at a time. It is for stores whose calls can't be interrupted, such as those to a file system that
// hangs: Load and Save of a Store have to return soon after their context has ended.
type Turn struct{ free chan struct{} }

// NewTurn returns a Turn that is free.
func NewTurn() *Turn { return &Turn{free: make(chan struct{}, 1)} }

// InTurn calls f when its turn has come, and returns the results of f. When the context has ended first, InTurn returns
// the context's error; f then goes on by itself, if it was called already, and keeps the turn until it has returned.
func InTurn[T any](ctx context.Context, turn *Turn, f func() (T, error)) (T, error) {
	var none T
	if err := ctx.Err(); err != nil {
		return none, err
	}
	select {
	case turn.free <- struct{}{}:
	case <-ctx.Done():
		return none, ctx.Err()
	}
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		defer func() { <-turn.free }()
		value, err := f()
		done <- result{value, err}
	}()
	select {
	case r := <-done:
		return r.value, r.err
	case <-ctx.Done():
		return none, ctx.Err()
	}
}
