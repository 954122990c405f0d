package store

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestInTurnReturnsTheResultsOfTheCall(t *testing.T) {
	broken := errors.New("broken")
	got, err := InTurn(t.Context(), NewTurn(), func() (int, error) { return 7, broken })
	assert.Equal(t, 7, got)
	assert.ErrorIs(t, err, broken)
}

func TestInTurnDoesNotCallAfterTheContextHasEnded(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := InTurn(ctx, NewTurn(), func() (int, error) { t.Error("called"); return 0, nil })
	require.ErrorIs(t, err, context.Canceled)
}

func TestInTurnReturnsWhenTheContextEndsAndKeepsTheTurn(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		turn, hang := NewTurn(), make(chan struct{})
		start := time.Now()
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err := InTurn(ctx, turn, func() (int, error) { <-hang; return 1, nil })
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, time.Second, time.Since(start))

		// The call goes on, so the next one has to wait for it, as long as its own context allows.
		ctx, cancel = context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		_, err = InTurn(ctx, turn, func() (int, error) { t.Error("called too early"); return 0, nil })
		require.ErrorIs(t, err, context.DeadlineExceeded)
		assert.Equal(t, 2*time.Second, time.Since(start))

		close(hang)
		got, err := InTurn(t.Context(), turn, func() (int, error) { return 2, nil })
		require.NoError(t, err)
		assert.Equal(t, 2, got)
	})
}
