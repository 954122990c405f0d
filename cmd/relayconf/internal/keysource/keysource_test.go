package keysource

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/config"
)

func TestTheFileHoldsNothingButTheKey(t *testing.T) {
	tests := map[string]struct{ content, want, problem string }{
		"key alone":          {"rel-1", "rel-1", ""},
		"with a line feed":   {"rel-1\n", "rel-1", ""},
		"with white space":   {"\r\n  rel-1\t\r\n", "rel-1", ""},
		"empty":              {"", "", "is empty"},
		"only white space":   {" \n", "", "is empty"},
		"two lines":          {"rel-secret\nrel-other", "", "holds white space"},
		"a variable setting": {"AUTO_CONFIG_KEY= rel-secret", "", "holds white space"},
		"a control sign":     {"rel-\x00secret", "", "holds white space"},
		"not ASCII":          {"rel-secret…", "", "holds white space"},
		"too large":          {strings.Repeat("secret", 1000), "", "is too large"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "key")
			require.NoError(t, os.WriteFile(path, []byte(test.content), 0o600))
			key, err := Read(path, "rel-from-the-environment")
			assert.Equal(t, config.AutoConfigKey(test.want), key)
			if test.problem == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, test.problem)
			assert.Contains(t, err.Error(), path)
			assert.NotContains(t, err.Error(), "secret")
		})
	}
}

func TestAFileOfOlderKeysHasOneALine(t *testing.T) {
	tests := map[string]struct {
		content string
		want    []config.AutoConfigKey
		problem string
	}{
		"one":             {"rel-1", []config.AutoConfigKey{"rel-1"}, ""},
		"two":             {"rel-2\n\r\n rel-1\r\n", []config.AutoConfigKey{"rel-2", "rel-1"}, ""},
		"none":            {" \n\n", nil, "is empty"},
		"two on one line": {"rel-secret rel-other", nil, "holds white space"},
		"a control sign":  {"rel-1\nrel-\x00secret", nil, "holds white space"},
		"too large":       {strings.Repeat("secret\n", 1000), nil, "is too large"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "keys")
			require.NoError(t, os.WriteFile(path, []byte(test.content), 0o600))
			keys, err := ReadAll(path)
			assert.Equal(t, test.want, keys)
			if test.problem == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, test.problem)
			assert.NotContains(t, err.Error(), "secret")
		})
	}
	_, err := ReadAll(filepath.Join(t.TempDir(), "missing"))
	require.ErrorIs(t, err, os.ErrNotExist)
}

func TestWithoutAFileTheEnvironmentCounts(t *testing.T) {
	key, err := Read("", "rel-env")
	require.NoError(t, err)
	assert.Equal(t, config.AutoConfigKey("rel-env"), key)

	_, err = Read("", "")
	require.ErrorIs(t, err, ErrNoKey)
}

func TestAFileThatCanNotBeReadIsAnError(t *testing.T) {
	_, err := Read(filepath.Join(t.TempDir(), "missing"), "rel-env")
	require.ErrorIs(t, err, os.ErrNotExist)
	_, err = Read(t.TempDir(), "rel-env")
	require.ErrorContains(t, err, "could not read the key file")
}
