package main

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// newRepository makes a repository of three modules, of which the command requires the other two, and one that is only
// for tests.
func newRepository(t *testing.T) string {
	t.Helper()
	root := t.TempDir()
	for name, text := range map[string]string{
		"LICENSE":              "Do as you like.\n",
		".gitignore":           "ignored.txt\n",
		"go.mod":               "module example.com/root\n\ngo 1.26\n",
		"root.go":              "package root\n\nconst Name = \"root\"\n",
		"ignored.txt":          "this is no Go",
		"a/go.mod":             "module example.com/root/a\n\ngo 1.26\n\nrequire example.com/root v0.0.0\n",
		"a/a.go":               "package a\n\nimport \"example.com/root\"\n\nconst Name = root.Name + \"/a\"\n",
		"a/deep/deep.go":       "package deep\n",
		"cmd/c/go.mod":         "module example.com/root/cmd/c\n\ngo 1.26\n\nrequire (\n\texample.com/root v0.0.0\n\texample.com/root/a v0.0.0\n)\n",
		"cmd/c/main.go":        "package main\n\nimport \"example.com/root/a\"\n\nfunc main() { println(a.Name) }\n",
		"internal/test/go.mod": "module example.com/root/internal/test\n\ngo 1.26\n\nrequire example.com/root v0.0.0\n",
		"go.work": "go 1.26\n\nuse (\n\t.\n\t./a\n\t./cmd/c\n\t./internal/test\n)\n\nreplace (\n\texample.com/root v0.0.0 => ./\n" +
			"\texample.com/root/a v0.0.0 => ./a\n)\n",
	} {
		file := filepath.Join(root, name)
		require.NoError(t, os.MkdirAll(filepath.Dir(file), 0o755))
		require.NoError(t, os.WriteFile(file, []byte(text), 0o644))
	}
	runIn(t, root, nil, "git", "init", "-q")
	return root
}

func runIn(t *testing.T, folder string, environment []string, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir, cmd.Env = folder, append(os.Environ(), environment...)
	output, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s %s: %s", name, strings.Join(args, " "), output)
	return string(output)
}

func read(t *testing.T, root string) *repository {
	t.Helper()
	r, err := readModules(root)
	require.NoError(t, err)
	return r
}

// goEnvironment takes modules from the proxy alone, and forgets them with the test.
func goEnvironment(t *testing.T, proxy string) []string {
	return []string{"GOPROXY=file://" + filepath.ToSlash(proxy), "GOSUMDB=off", "GOFLAGS=-modcacherw", "GOWORK=off",
		"GOTOOLCHAIN=local", "GOMODCACHE=" + t.TempDir(), "GOBIN=" + filepath.Join(proxy, "bin")}
}

func TestModulesComeAfterThoseThatTheyRequire(t *testing.T) {
	var folders []string
	for _, m := range read(t, newRepository(t)).published() {
		folders = append(folders, m.folder)
	}
	require.Equal(t, []string{".", "a", "cmd/c"}, folders)
}

func TestTheProxyServesEachModuleWithItsOwnFiles(t *testing.T) {
	root, proxy := newRepository(t), t.TempDir()
	r := read(t, root)
	version, err := r.requiredVersion()
	require.NoError(t, err)
	require.NoError(t, r.writeProxy(proxy, version))
	environment := goEnvironment(t, proxy)
	runIn(t, proxy, environment, "go", "install", "example.com/root/cmd/c@v0.0.0")
	assert.Equal(t, "root/a\n", runIn(t, proxy, nil, filepath.Join(proxy, "bin", "c")))
	folder := strings.TrimSpace(runIn(t, proxy, environment, "go", "env", "GOMODCACHE"))
	for file, want := range map[string]bool{
		"root@v0.0.0/root.go": true, "root@v0.0.0/ignored.txt": false, "root@v0.0.0/a": false,
		"root/a@v0.0.0/deep/deep.go": true, "root/a@v0.0.0/LICENSE": true,
	} {
		_, err := os.Stat(filepath.Join(folder, "example.com", file))
		assert.Equal(t, want, err == nil, file)
	}
}

func TestAVersionIsSetEverywhereWithItsSums(t *testing.T) {
	root, proxy := newRepository(t), t.TempDir()
	require.NoError(t, read(t, root).setVersion("v1.2.3"))
	r := read(t, root)
	version, err := r.requiredVersion()
	require.NoError(t, err)
	require.Equal(t, "v1.2.3", version)
	require.NoError(t, r.writeProxy(proxy, version))
	environment := goEnvironment(t, proxy)
	for _, folder := range []string{"a", "cmd/c"} {
		runIn(t, filepath.Join(root, folder), environment, "go", "build", "-mod=readonly", "-o", os.DevNull, "./...")
		runIn(t, filepath.Join(root, folder), environment, "go", "mod", "verify")
	}
	runIn(t, root, append(environment, "GOWORK="), "go", "build", "-o", os.DevNull, "./cmd/c")
	work, err := os.ReadFile(filepath.Join(root, "go.work"))
	require.NoError(t, err)
	assert.Contains(t, string(work), "example.com/root v1.2.3 => ./\n")
	assert.NotContains(t, string(work), "v0.0.0")

	again := read(t, root)
	before, err := os.ReadFile(filepath.Join(root, "cmd/c/go.sum"))
	require.NoError(t, err)
	require.NoError(t, again.setVersion("v1.2.3"))
	after, err := os.ReadFile(filepath.Join(root, "cmd/c/go.sum"))
	require.NoError(t, err)
	assert.Equal(t, string(before), string(after), "a second time changes nothing")
}

func TestSaysWhatIsWrong(t *testing.T) {
	root := newRepository(t)
	for _, version := range []string{"", "1.2.3", "v1.2", "v1.2.3+meta", "v2.0.0"} {
		require.ErrorContains(t, read(t, root).setVersion(version), "is no version to release", version)
	}
	mod := filepath.Join(root, "a/go.mod")
	require.NoError(t, os.WriteFile(mod, []byte("module example.com/root/a\n\nrequire example.com/root v0.0.1\n"), 0o644))
	_, err := read(t, root).requiredVersion()
	require.ErrorContains(t, err, "set one version with scripts/release")
	require.NoError(t, os.WriteFile(mod, []byte("module example.com/root/a\n\nrequire example.com/root/cmd/c v0.0.0\n"), 0o644))
	_, err = readModules(root)
	require.ErrorContains(t, err, "in a circle")
	var out bytes.Buffer
	require.ErrorContains(t, run(nil, &out), "usage")
}
