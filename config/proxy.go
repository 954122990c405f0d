package config

import (
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// Credentials returns the user name and password for the proxy: the fields User and Password. Where User is empty, the
// user name in the URL ("http://user:password@proxy.example") counts and, where Password is empty too, its password.
func (c ProxyConfig) Credentials() (user, password string) {
	user, password = c.User, c.Password
	if user == "" && c.URL != nil && c.URL.User != nil {
		user = c.URL.User.Username()
		if password == "" {
			password, _ = c.URL.User.Password()
		}
	}
	return user, password
}

// Validate tells whether the settings make sense together. It returns nil, or one SettingError for each problem,
// joined. It reads no files: whether CACertFiles are good is for the HTTP client to find out.
func (c ProxyConfig) Validate() error { return joinSettingErrors(c.problems()) }

func (c ProxyConfig) problems() []*SettingError {
	var problems []*SettingError
	add := func(variable, field, problem string) {
		problems = append(problems, &SettingError{Variable: variable, Field: "ProxyConfig." + field, Problem: problem})
	}
	schemes := []string{"http", "https", "socks5", "socks5h"}
	if c.NTLMAuth {
		schemes = []string{"http", "https"}
	}
	user, password := c.Credentials()
	if c.URL != nil {
		if problem := urlProblem(c.URL, schemes, "http://proxy.example:3128"); problem != "" {
			add("PROXY_URL", "URL", problem)
		}
	}
	if c.NTLMAuth && c.URL == nil {
		add("PROXY_URL", "URL", "is missing: NTLM needs it. Set it to the address of the proxy, "+
			"or turn NTLM off (PROXY_AUTH_NTLM)")
	}
	if c.NTLMAuth && user == "" {
		add("PROXY_AUTH_USER", "User", "is missing: NTLM needs it. Set it, or turn NTLM off (PROXY_AUTH_NTLM)")
	}
	if c.NTLMAuth && password == "" {
		add("PROXY_AUTH_PASSWORD", "Password", "is missing: NTLM needs it. Set it, or turn NTLM off (PROXY_AUTH_NTLM)")
	}
	if !c.NTLMAuth && c.Password != "" && user == "" {
		add("PROXY_AUTH_USER", "User", "is missing, though there is a password (PROXY_AUTH_PASSWORD). Set both or neither")
	}
	return problems
}

// urlProblem says why u is not the absolute URL of a server; empty if it is. It does not repeat the
// URL, which may hold a password.
func urlProblem(u *url.URL, schemes []string, example string) string {
	if !slices.Contains(schemes, u.Scheme) || u.Opaque != "" {
		last := len(schemes) - 1
		return "must start with " + strings.Join(schemes[:last], "://, ") + ":// or " + schemes[last] +
			"://. Write it like " + example
	}
	if u.Hostname() == "" {
		return "has no host. Write it like " + example
	}
	if port := u.Port(); port != "" {
		if n, err := strconv.Atoi(port); err != nil || n < 1 || n > 65535 {
			return "has a port that is not from 1 to 65535. Write it like " + example
		}
	}
	return ""
}
