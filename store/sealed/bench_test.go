package sealed

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/envfactory"
)

func BenchmarkHundredThousandEnvironments(b *testing.B) {
	box := newBox(b, key)
	snapshot := &autoconfig.Snapshot{Environments: map[config.EnvironmentID]envfactory.EnvironmentRep{}}
	random := rand.New(rand.NewPCG(1, 2))
	uuid := func() string {
		return fmt.Sprintf("%08x-%04x-4%03x-8000-%012x", random.Uint32(), random.Uint32N(1<<16), random.Uint32N(1<<12),
			random.Uint64N(1<<48))
	}
	for i := range 100_000 {
		id := config.EnvironmentID(fmt.Sprintf("%08x%016x", random.Uint32(), random.Uint64()))
		sdk, mob := "sdk-"+uuid(), "mob-"+uuid()
		snapshot.Environments[id] = envfactory.EnvironmentRep{EnvID: id, EnvKey: "production", EnvName: "Production",
			ProjKey: fmt.Sprint("web", i/10), ProjName: fmt.Sprint("Web shop ", i/10), MobKey: config.MobileKey(mob),
			SDKKey:  envfactory.SDKKeyRep{Value: config.SDKKey(sdk)},
			SDKKeys: []envfactory.ConcurrentKeyRep{{Key: "default", Value: sdk}}, Version: i}
	}
	var sealed []byte
	b.Run("seal", func(b *testing.B) {
		for b.Loop() {
			sealed, _ = box.Seal(snapshot)
		}
		plain, _ := json.Marshal(snapshot)
		b.ReportMetric(float64(len(plain)), "bytes-of-JSON")
		b.ReportMetric(float64(len(sealed)), "bytes-sealed")
	})
	b.Run("open", func(b *testing.B) {
		for b.Loop() {
			_, err := box.Open(slices.Clone(sealed))
			require.NoError(b, err)
		}
	})
}
