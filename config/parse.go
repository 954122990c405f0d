package config

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/launchdarkly/go-sdk-common/v3/ldlog"

	"github.com/relayconf/relayconf/internal/credential"
)

// These parsers return the value of a variable, and what is wrong with it or nothing. Only values that can't be
// secrets are repeated in what is wrong: package url repeats its input in its errors, so those are left out.

func parseKey(value string) (AutoConfigKey, string) {
	if err := credential.Check(value); err != nil {
		return "", err.Error() + ": it looks like rel-00000000-0000-4000-8000-000000000000"
	}
	return AutoConfigKey(value), ""
}

func parseStreamURI(value string) (string, string) {
	const example = DefaultStreamURI
	u, err := url.Parse(value)
	switch {
	case err != nil:
		return "", "is not a URL. Write it like " + example
	case u.User != nil:
		return "", "holds a user name or a password, but the service takes only the key (AUTO_CONFIG_KEY). Remove it"
	case u.Fragment != "":
		return "", "has a fragment (from # on), which is never sent. Remove it"
	}
	return value, urlProblem(u, []string{"http", "https"}, example)
}

// parseURL leaves the scheme and the host to ProxyConfig.problems.
func parseURL(value string) (*url.URL, string) {
	u, err := url.Parse(value)
	if err != nil {
		return nil, "is not a URL. Write it like http://proxy.example:3128"
	}
	return u, ""
}

func parseTimeout(value string) (time.Duration, string) {
	d, err := time.ParseDuration(value)
	switch {
	case err == nil && d >= 0:
		return d, ""
	case err == nil:
		return 0, fmt.Sprintf("is %q, but can't be negative. Write a duration like 10s, or 0 for no limit", value)
	}
	if _, err := strconv.Atoi(value); err == nil {
		return 0, fmt.Sprintf("is %q, which has no unit. Write %ss for seconds, or 1m30s", value, value)
	}
	return 0, fmt.Sprintf("is %q, which is not a duration. Write it like 10s or 1m30s", value)
}

func parseBool(value string) (bool, string) {
	b, err := strconv.ParseBool(strings.ToLower(value))
	if err != nil {
		return false, fmt.Sprintf("is %q. Write true or false", value)
	}
	return b, ""
}

func parseLogLevel(value string) (ldlog.LogLevel, string) {
	for level := ldlog.Debug; level <= ldlog.None; level++ {
		if strings.EqualFold(value, level.Name()) {
			return level, ""
		}
	}
	return 0, fmt.Sprintf("is %q. Write debug, info, warn, error or none", value)
}

// splitList splits at commas, and drops empty items and the white space around items.
func splitList(value string) []string {
	var items []string
	for item := range strings.SplitSeq(value, ",") {
		if item = strings.TrimSpace(item); item != "" {
			items = append(items, item)
		}
	}
	return items
}
