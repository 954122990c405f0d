package filesource

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/strictyaml"
)

// secret is the key in every file. No mistake may show it.
const secret = "sdk-11111111-2222-4333-8444-555555555555"

// web is a file with one environment; the mistakes follow it, from line 6 on.
const web = `environments:
  - id: env1
    projKey: web
    envKey: production
    sdkKey: ` + secret + `
`

func TestEveryMistakeNamesItsLineAndTheExpectation(t *testing.T) {
	for _, row := range []struct {
		name, text string
		line       int
		want       string
	}{
		{"an empty file", "", 0, `the file is empty: expected a list "environments"`},
		{"only a comment", "# nothing\n", 0, "the file is empty"},
		{"no list", "filters: []\n", 0, `expected a list "environments"`},
		{"no object", "- id: env1\n", 1, "expected the file as an object with the fields environments"},
		{"environments as an object", "environments:\n  env1: {}\n", 2, "environments must be a list"},
		{"an environment that is a text", "environments:\n  - env1\n", 2, "expected an environment as an object with the fields id,"},
		{"YAML syntax", web + "  - id: [\n", 6, "this is not YAML"},
		{"too little indentation", web + "   envName: x\n  - id: env2\n", 6, "this is not YAML"},
		{"a list that is not closed", web + "    acceptedSdkKeys: [\n    ttlSeconds: 60\n", 7, "this is not YAML"},
		{"a colon in a text", web + "    envName: a: b\n", 6, "this is not YAML"},
		{"an unknown anchor", web + "    envName: *" + secret + "\n", 6, "this is not YAML: unknown anchor; put"},
		{"a tab", web + "\t- id: x\n", 6, "this is not YAML"},
		{"an unknown field", web + "    sdkkey: x\n", 6, `an environment has no field "sdkkey": expected id, projKey`},
		{"a key in the place of a field", web + "    " + secret + ": x\n", 6, "an environment has a field whose name may be a key: expected id"},
		{"a field twice", web + "    sdkKey: other\n", 6, "sdkKey is there twice"},
		{"no id", "environments:\n  - projKey: web\n    envKey: a\n    sdkKey: x\n", 2, "an environment needs an id"},
		{"no project", "environments:\n  - id: a\n    envKey: a\n    sdkKey: x\n", 2, "an environment needs a projKey"},
		{"no environment key", "environments:\n  - id: a\n    projKey: a\n    sdkKey: x\n", 2, "an environment needs an envKey"},
		{"no SDK key", "environments:\n  - id: a\n    projKey: a\n    envKey: x\n", 2, "an environment needs a sdkKey"},
		{"an empty SDK key", "environments:\n  - {id: a, projKey: a, envKey: x, sdkKey: ''}\n", 2, "an environment needs a sdkKey"},
		{"a list in the place of a text", web + "    envName: [x]\n", 6, "envName must be a text"},
		{"a space in a key", web + "    mobileKey: mob 1\n", 6, "mobileKey must be of plain characters"},
		{"a slash in an id", "environments:\n  - {id: a/b, projKey: a, envKey: x, sdkKey: y}\n", 2, "id must not contain a slash"},
		{"the same id again", web + "  - id: env1\n    projKey: web\n    envKey: test\n    sdkKey: x\n", 6, "this id is also in environments.yaml:2: expected each id once"},
		{"the same project and environment again", web + "  - {id: env2, projKey: web, envKey: production, sdkKey: x}\n", 6,
			"the environment in environments.yaml:2 has the same projKey and envKey: expected another projKey and envKey for each environment"},
		{"the same SDK key again", web + "  - {id: env2, projKey: web, envKey: test, sdkKey: " + secret + "}\n", 6,
			"the environment in environments.yaml:2 has the same SDK key: expected another SDK key for each environment"},
		{"an SDK key that expires in another environment", web + "  - {id: env2, projKey: web, envKey: test, sdkKey: x, expiringSdkKey: {value: " +
			secret + ", expiry: 2027-01-31T18:00:00Z}}\n", 6, "the environment in environments.yaml:2 has the same SDK key"},
		{"an accepted SDK key of another environment", web + "  - {id: env2, projKey: web, envKey: test, sdkKey: x, acceptedSdkKeys: [{value: x}, {value: " +
			secret + "}]}\n", 6, "the environment in environments.yaml:2 has the same SDK key"},
		{"the same mobile key again", web + "    mobileKey: " + secret + "\n  - {id: env2, projKey: web, envKey: test, sdkKey: x, mobileKey: " + secret + "}\n", 7,
			"the environment in environments.yaml:2 has the same mobile key"},
		{"an accepted mobile key of another environment", web + "    mobileKey: " + secret +
			"\n  - {id: env2, projKey: web, envKey: test, sdkKey: x, mobileKey: y, acceptedMobileKeys: [{value: y}, {value: " + secret + "}]}\n", 7,
			"the environment in environments.yaml:2 has the same mobile key"},
		{"seconds that are no minutes", web + "    ttlSeconds: 90\n", 6, "ttlSeconds must be a multiple of 60"},
		{"negative seconds", web + "    ttlSeconds: -60\n", 6, "ttlSeconds must be a whole number of at least 0"},
		{"a text for a number", web + "    version: new\n", 6, "version must be a whole number of at least 1"},
		{"a version beyond all", web + "    version: 9007199254740992\n", 6, "version must be a whole number of at least 1, and at most 9007199254740991"},
		{"a text for a switch", web + "    secureMode: \"true\"\n", 6, "secureMode must be true or false"},
		{"an expiring key without a time", web + "    expiringSdkKey:\n      value: old\n", 7, "expiringSdkKey needs an expiry"},
		{"an expiring key without a value", web + "    expiringSdkKey:\n      expiry: 2027-01-31T18:00:00Z\n", 7, "expiringSdkKey needs a value"},
		{"a time without a zone", web + "    expiringSdkKey:\n      value: old\n      expiry: 2027-01-31 18:00\n", 8, "expiry must be a time with a zone, such as 2027-01-31T18:00:00Z"},
		{"an expiring key that stays", web + "    expiringSdkKey:\n      value: " + secret + "\n      expiry: 2027-01-31T18:00:00Z\n", 7, "expiringSdkKey must be another key than sdkKey"},
		{"a list without the default key", web + "    acceptedSdkKeys:\n      - value: other\n", 7, "acceptedSdkKeys must list the sdkKey, too"},
		{"a default key that expires", web + "    acceptedSdkKeys:\n      - value: " + secret + "\n        expiry: 2027-01-31T18:00:00Z\n", 7, "the sdkKey can't expire"},
		{"a key twice in a list", web + "    acceptedSdkKeys:\n      - value: " + secret + "\n      - value: " + secret + "\n", 8, "this key is twice in acceptedSdkKeys"},
		{"a key without a value", web + "    acceptedSdkKeys:\n      - name: x\n", 7, "a key of acceptedSdkKeys needs a value"},
		{"an expiring key that is not listed", web + "    acceptedSdkKeys:\n      - value: " + secret + "\n    expiringSdkKey:\n      value: old\n      expiry: 2027-01-31T18:00:00Z\n", 9, "acceptedSdkKeys must list the expiringSdkKey, too"},
		{"mobile keys without a default", web + "    acceptedMobileKeys:\n      - value: mob-1\n", 7, "an environment with acceptedMobileKeys needs a mobileKey, too"},
		{"a filter without a key", web + "filters:\n  - projKey: web\n", 7, "a filter needs a key"},
		{"a filter with an unknown field", web + "filters:\n  - projKey: web\n    key: eu\n    name: x\n", 9, `a filter has no field "name": expected id, projKey, key, version`},
		{"a filter twice", web + "filters:\n  - {projKey: web, key: eu}\n  - {projKey: web, key: eu}\n", 8, "this id is also in environments.yaml:7"},
		{"another format", "format: other\n" + web, 1, `format must be "relayconf-environments", or left out`},
		{"another version of the format", "version: 2\n" + web, 1, "version must be 1, or left out"},
		{"a merge of a text", web + "    <<: text\n", 6, `"<<" must name an object`},
		{"a merge of itself", web + "    <<: &a\n      <<: *a\n", 6, `"<<" must name an object`},
		{"the second of two documents", web + "---\n- x\n", 7, "expected the file as an object"},
	} {
		t.Run(row.name, func(t *testing.T) {
			problems := mistakes(t, "environments.yaml", row.text)
			assert.Equal(t, row.line, problems[0].Line, "%s", problems)
			assert.Contains(t, problems[0].Text, row.want)
			assert.Equal(t, "environments.yaml", filepath.Base(problems[0].File))
			assert.NotContains(t, problems.Error(), secret)
			assert.NotContains(t, problems.Error(), "11111111")
		})
	}
}

func TestMistakesInJSONNameTheirLine(t *testing.T) {
	for _, row := range []struct {
		name, text string
		line       int
		want       string
	}{
		{"cut off", "{\n  \"environments\": [\n    {\"id\":", 3, "it ends too early"},
		{"a missing comma", "{\n  \"environments\": []\n  \"filters\": []\n}", 3, "this is not JSON"},
		{"more after the end", "{\"environments\": []}\n\n{}", 3, "there is more after the end"},
		{"an unknown field", "{\n  \"environments\": [{\n  \"id\": \"a\", \"projKey\": \"b\", \"envKey\": \"c\", \"sdkKey\": \"d\",\n  \"sdkkey\": \"e\"}]}", 4, `no field "sdkkey"`},
		{"a field twice", "{\"environments\": [],\n\"environments\": []}", 2, "environments is there twice"},
		{"nested without end", strings.Repeat("[\n", 100), 22, "nested more than 20 levels deep"},
	} {
		t.Run(row.name, func(t *testing.T) {
			problems := mistakes(t, "environments.json", row.text)
			assert.Equal(t, row.line, problems[0].Line, "%s", problems)
			assert.Contains(t, problems[0].Text, row.want)
		})
	}
}

func TestAllMistakesAreReportedAndTheFirstOnesShown(t *testing.T) {
	problems := mistakes(t, "environments.yaml", "environments:\n"+strings.Repeat("  - {}\n", 10))
	assert.Len(t, problems, 40, "four fields are missing in each")
	assert.Len(t, problems.Lines(), 21)
	assert.Equal(t, "and 20 more mistakes", problems.Lines()[20])
}

func TestTheSameIDInTwoFilesNamesBoth(t *testing.T) {
	folder := t.TempDir()
	for _, name := range []string{"a.yaml", "b.yaml"} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(web), 0o600))
	}
	err := Check(folder)
	assert.ErrorContains(t, err, "b.yaml:2: this id is also in")
	assert.ErrorContains(t, err, "a.yaml:2: expected each id once")
}

func TestACopyWithAnotherIDIsReportedOnceForEachKind(t *testing.T) {
	problems := mistakes(t, "environments.yaml", web+strings.Replace(strings.TrimPrefix(web, "environments:\n"), "env1", "env2", 1))
	require.Len(t, problems, 2)
	assert.Contains(t, problems[0].Text, "the same projKey and envKey")
	assert.Contains(t, problems[1].Text, "the same SDK key")
	folder := t.TempDir()
	for name, id := range map[string]string{"a.yaml": "env1", "b.yaml": "env2"} {
		require.NoError(t, os.WriteFile(filepath.Join(folder, name), []byte(strings.Replace(web, "env1", id, 1)), 0o600))
	}
	err := Check(folder)
	assert.ErrorContains(t, err, "b.yaml:2: the environment in "+filepath.Join(folder, "a.yaml")+":2 has the same SDK key")
}

func TestNamesAndKeysThatDifferInPartAreNoMistake(t *testing.T) {
	d := decode(t, "environments.yaml", `
environments:
  - {id: a, projKey: web, envKey: production, sdkKey: sdk-1, mobileKey: mob-1, expiringSdkKey: {value: sdk-0, expiry: 2027-01-31T18:00:00Z},
     acceptedSdkKeys: [{value: sdk-1}, {value: sdk-0, expiry: 2027-01-31T18:00:00Z}]}
  - {id: b, projKey: shop, envKey: production, sdkKey: sdk-2, mobileKey: mob-2}
  - {id: c, projKey: web, envKey: test, sdkKey: sdk-3}
  - {id: d, projKey: shop, envKey: test, sdkKey: sdk-4}
filters:
  - {projKey: web, key: eu}
  - {projKey: web, key: us}
`)
	assert.Len(t, d.environments, 4, "two without a mobile key")
	assert.Len(t, d.filters, 2)
}

func TestAFolderWithoutFilesIsAMistake(t *testing.T) {
	folder := t.TempDir()
	require.NoError(t, os.WriteFile(filepath.Join(folder, "README.md"), nil, 0o600))
	assert.ErrorContains(t, Check(folder), "has no file named .yaml, .yml or .json")
	assert.ErrorContains(t, Check(filepath.Join(folder, "nothing")), "no such file")
}

// mistakes returns the problems of a file with this name and content.
func mistakes(t *testing.T, name, text string) strictyaml.Problems {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	err := Check(path)
	var problems strictyaml.Problems
	require.ErrorAs(t, err, &problems)
	// Other files are named as the path was given, too.
	for i := range problems {
		problems[i].Text = strings.ReplaceAll(problems[i].Text, path, name)
	}
	return problems
}
