package config_test

import (
	"fmt"

	"github.com/relayconf/relayconf/config"
)

// Read the configuration. A program passes os.LookupEnv.
func ExampleFromEnv() {
	variables := map[string]string{
		"AUTO_CONFIG_KEY": "rel-00000000-0000-4000-8000-00000000abcd",
		"INIT_TIMEOUT":    "30s",
	}
	c, err := config.FromEnv(func(name string) (string, bool) { value, ok := variables[name]; return value, ok })
	fmt.Println(c.AutoConfig.Key, c.AutoConfig.StreamURI, c.AutoConfig.InitTimeout, err)
	// Output: …abcd https://stream.launchdarkly.com 30s <nil>
}

// Every bad variable is reported at once.
func ExampleFromEnv_errors() {
	variables := map[string]string{"INIT_TIMEOUT": "30", "PROXY_AUTH_NTLM": "true", "PROXY_URL": "http://proxy.example:3128"}
	_, err := config.FromEnv(func(name string) (string, bool) { value, ok := variables[name]; return value, ok })
	fmt.Println(err)
	// Output:
	// INIT_TIMEOUT (AutoConfigConfig.InitTimeout) is "30", which has no unit. Write 30s for seconds, or 1m30s
	// PROXY_AUTH_USER (ProxyConfig.User) is missing: NTLM needs it. Set it, or turn NTLM off (PROXY_AUTH_NTLM)
	// PROXY_AUTH_PASSWORD (ProxyConfig.Password) is missing: NTLM needs it. Set it, or turn NTLM off (PROXY_AUTH_NTLM)
}
