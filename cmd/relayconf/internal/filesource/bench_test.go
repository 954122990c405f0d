package filesource

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"go.yaml.in/yaml/v3"
)

// manyYAML has environments as people write them.
func manyYAML(n int) []byte {
	var text strings.Builder
	text.WriteString("environments:\n")
	for i := range n {
		fmt.Fprintf(&text, `  - id: 5f1b0c7e%016d
    projKey: project-%d
    projName: Project %d
    envKey: environment-%d
    envName: Environment %d
    sdkKey: sdk-00000000-0000-4000-8000-%012d
    mobileKey: mob-00000000-0000-4000-8000-%012d
    ttlSeconds: 300
    secureMode: true
`, i, i/100, i/100, i, i, i, i)
	}
	return []byte(text.String())
}

// BenchmarkReread rereads a file in which one of 10,000 environments has changed, to the changes. The baseline is a plain
// yaml.Unmarshal of the same bytes.
func BenchmarkReread(b *testing.B) {
	data := manyYAML(10_000)
	path := filepath.Join(b.TempDir(), "environments.yaml")
	require.NoError(b, os.WriteFile(path, data, 0o600))
	b.Run("baseline=yaml.Unmarshal", func(b *testing.B) {
		for b.Loop() {
			var into struct{ Environments []map[string]any }
			require.NoError(b, yaml.Unmarshal(data, &into))
		}
	})
	b.Run("reread", func(b *testing.B) {
		d, err := read(path)
		require.NoError(b, err)
		inv := newInventory()
		inv.update(d, time.Now())
		changed := strings.Replace(string(data), "Environment 77", "Changed", 1)
		require.NoError(b, os.WriteFile(path, []byte(changed), 0o600))
		for b.Loop() {
			d, err := read(path)
			require.NoError(b, err)
			inv.update(d, time.Now())
		}
	})
}
