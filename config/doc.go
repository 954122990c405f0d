// Package config has the typed keys and ids of a relay, and the configuration that its environment variables give.
package config
