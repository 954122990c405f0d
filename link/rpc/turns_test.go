package rpc

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestOneAtATimeHasAName(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var turns turns
		done, err := turns.take(t.Context(), "a")
		require.NoError(t, err)

		other, err := turns.take(t.Context(), "b")
		require.NoError(t, err, "another name is free")
		other()

		second := make(chan func())
		go func() {
			done, err := turns.take(t.Context(), "a")
			assert.NoError(t, err)
			second <- done
		}()
		synctest.Wait()
		select {
		case <-second:
			t.Error("two have the name")
		default:
		}

		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		_, err = turns.take(ctx, "a")
		assert.ErrorIs(t, err, context.Canceled)

		done()
		(<-second)()
		assert.Empty(t, turns.byName, "nothing is kept for names that nobody wants")
	})
}
