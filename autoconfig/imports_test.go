package autoconfig

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// TestImportsRunOneWay: of the packages on the way of the data, each imports only those before it.
func TestImportsRunOneWay(t *testing.T) {
	const module = "github.com/relayconf/relayconf/"
	way := []string{"internal/sse", "internal/stream", "internal/wire", "internal/state", "autoconfig", "hub"}
	for at, name := range way {
		t.Run(name, func(t *testing.T) {
			own := importsOf(t, filepath.Join("..", name))
			require.NotEmpty(t, own)
			for _, later := range way[at+1:] {
				assert.NotContains(t, own, module+later)
			}
		})
	}
	for _, pure := range []string{"internal/wire", "internal/state"} {
		t.Run(pure+" does no I/O", func(t *testing.T) {
			for _, name := range importsOf(t, filepath.Join("..", pure)) {
				assert.NotContains(t, []string{"net", "net/http", "os", "io", "log/slog"}, name)
				assert.NotContains(t, name, "ldlog")
			}
		})
	}
}

// importsOf are the imports of a folder's package, those of its tests left out.
func importsOf(t *testing.T, folder string) (imports []string) {
	files, err := filepath.Glob(filepath.Join(folder, "*.go"))
	require.NoError(t, err)
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		syntax, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		require.NoError(t, err)
		for _, spec := range syntax.Imports {
			name, err := strconv.Unquote(spec.Path.Value)
			require.NoError(t, err)
			imports = append(imports, name)
		}
	}
	slices.Sort(imports)
	return slices.Compact(imports)
}
