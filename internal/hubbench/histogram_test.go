//go:build linux

package main

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
)

func TestQuantiles(t *testing.T) {
	var h histogram
	for i := range 1000 {
		h.add(time.Duration(i+1) * time.Millisecond)
	}
	assert.EqualValues(t, 1000, h.count())
	assert.InEpsilon(t, 500*time.Millisecond, h.quantile(0.5), 0.05)
	assert.InEpsilon(t, 990*time.Millisecond, h.quantile(0.99), 0.05)
	assert.Equal(t, time.Second, h.quantile(1))
	assert.Equal(t, time.Second, h.max())
}

func TestStamp(t *testing.T) {
	e := newEnvironments(1)
	assert.EqualValues(t, 1234567890123456789, stampIn(e.patch(0, 1234567890123456789)))
	assert.Zero(t, stampIn(e.put()))
}
