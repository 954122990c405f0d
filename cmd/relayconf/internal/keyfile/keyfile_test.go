package keyfile

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"go.uber.org/goleak"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/strictyaml"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

const (
	soon   = 60 * time.Second
	secret = "rel-11111111-2222-4333-8444-555555555555"
	hash   = "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824" // of "hello"
	one    = "keys:\n  - name: one\n    key: " + secret + "\n"
)

func write(t *testing.T, path, text string) string {
	t.Helper()
	require.NoError(t, os.WriteFile(path+".tmp", []byte(text), 0o600))
	require.NoError(t, os.Rename(path+".tmp", path))
	return path
}

func TestAKeyFile(t *testing.T) {
	keys, err := Read(write(t, filepath.Join(t.TempDir(), "keys.yaml"), one+`
  - name: eu
    keySha256: `+strings.ToUpper(hash)+`
    projects: [web, "shop-*"]
    environments:
      - api/production
      - "*/staging"
    names: [relay-eu-*]
`))
	require.NoError(t, err)
	assert.Equal(t, []Key{
		{Name: "one", Key: secret},
		{Name: "eu", SHA256: hash, Projects: []string{"web", "shop-*"}, Environments: []string{"api/production", "*/staging"},
			RelayNames: []string{"relay-eu-*"}},
	}, keys)
}

func TestEveryMistakeNamesItsLineAndNoKey(t *testing.T) {
	for _, row := range []struct {
		name, text string
		line       int
		want       string
	}{
		{"empty", "", 0, "there is no key"},
		{"no keys", "keys: []\n", 0, "there is no key"},
		{"only a key", secret + "\n", 1, "expected the key file as an object with the fields keys"},
		{"an object of keys", "keys:\n  one: " + secret + "\n", 2, "keys must be a list"},
		{"an unknown field", one + "    project: web\n", 4, `a key has no field "project": expected name, key`},
		{"no name", "keys:\n  - key: " + secret + "\n", 2, "a key needs a name"},
		{"no key", "keys:\n  - name: one\n", 2, "a key needs a key, or its SHA-256"},
		{"both", one + "    keySha256: " + hash + "\n", 2, "not both"},
		{"a short hash", "keys:\n  - name: one\n    keySha256: 2cf2\n", 3, "must be 64 hexadecimal digits"},
		{"a key in the place of the hash", "keys:\n  - name: one\n    keySha256: " + secret + "\n", 3, "must be 64 hexadecimal digits"},
		{"a space in a key", "keys:\n  - name: one\n    key: " + secret + " x\n", 3, "key must be of plain characters"},
		{"the same name", one + "  - name: one\n    key: other\n", 4, "the name is that of the key in line 2, too"},
		{"the same key", one + "  - name: two\n    key: " + secret + "\n", 4, "the key is the same as in line 2"},
		{"the same key by its hash", "keys:\n  - {name: a, key: hello}\n  - {name: b, keySha256: " + hash + "}\n", 3, "the key is the same as in line 2"},
		{"a pattern that is not closed", one + "    projects:\n      - web\n      - \"[a\"\n", 6, "projects has a pattern that is empty or malformed"},
		{"an empty selection", one + "    projects: []\n", 4, "projects is an empty list"},
		{"an environment without its project", one + "    environments:\n      - production\n", 5, "must look like project/environment"},
		{"YAML syntax", one + "  name: x\n", 4, "this is not YAML"},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := Read(write(t, filepath.Join(t.TempDir(), "keys.yaml"), row.text))
			var problems strictyaml.Problems
			require.ErrorAs(t, err, &problems)
			assert.Equal(t, row.line, problems[0].Line, "%s", problems)
			assert.Contains(t, problems[0].Text, row.want)
			assert.NotContains(t, err.Error(), "11111111")
		})
	}
}

func TestAChangeIsAppliedAndAMistakeLeavesTheKeys(t *testing.T) {
	t.Parallel()
	path := write(t, filepath.Join(t.TempDir(), "keys.yaml"), one)
	applied := make(chan []Key, 10)
	logged := make(logLines, 100)
	f, err := Start(t.Context(), Options{Path: path, Logger: slog.New(slog.NewTextHandler(logged, nil)),
		Apply: func(keys []Key) error {
			applied <- keys
			return nil
		}})
	require.NoError(t, err)
	defer f.Close()
	assert.Len(t, next(t, applied), 1)

	write(t, path, one+"  - {name: two}\n")
	for !strings.Contains(next(t, logged), "keys.yaml:4: a key needs a key") {
	}
	require.Empty(t, applied)

	write(t, path, one+"  - {name: two, key: other}\n")
	assert.Len(t, next(t, applied), 2)
}

func TestAStartWithAMistakeFails(t *testing.T) {
	t.Parallel()
	_, err := Start(t.Context(), Options{Path: write(t, filepath.Join(t.TempDir(), "keys.yaml"), "keys: {}")})
	assert.ErrorContains(t, err, "keys.yaml:1: keys must be a list")
}

type logLines chan string

func (l logLines) Write(p []byte) (int, error) {
	l <- string(p)
	return len(p), nil
}

func next[T any](t *testing.T, c <-chan T) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(soon):
		require.FailNow(t, "nothing came")
		panic("unreachable")
	}
}
