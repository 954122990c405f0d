// Package keysource reads auto-configuration keys: from a file if there is one, else from the environment.
package keysource

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/internal/credential"
)

// ErrNoKey means that there is neither a file nor a variable.
var ErrNoKey = errors.New("there is no auto-configuration key: set AUTO_CONFIG_KEY, or name a file with --key-file")

// maxSize is more than any key has: what is larger is the wrong file.
const maxSize = 4 << 10

// Read returns the key in the file, or, if path is empty, the fallback. No error shows what the file holds.
func Read(path string, fallback config.AutoConfigKey) (config.AutoConfigKey, error) {
	if path != "" {
		return fromFile(path)
	}
	if fallback == "" {
		return "", ErrNoKey
	}
	return fallback, nil
}

// ReadAll returns the keys in a file that holds one a line. White space around them and empty lines do not count. No
// error shows what the file holds.
func ReadAll(path string) ([]config.AutoConfigKey, error) {
	text, err := read(path)
	if err != nil {
		return nil, err
	}
	var keys []config.AutoConfigKey
	for line := range strings.Lines(text) {
		key := strings.TrimSpace(line)
		switch err := credential.Check(key); {
		case errors.Is(err, credential.ErrEmpty):
		case err != nil:
			return nil, fmt.Errorf("the key file %s must hold nothing but keys, one a line: a line %w", path, err)
		default:
			keys = append(keys, config.AutoConfigKey(key))
		}
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("the key file %s is empty: it must hold keys, one a line", path)
	}
	return keys, nil
}

// fromFile reads a file that holds nothing but a key. White space around it does not count: editors and "echo" end a
// file with a line feed.
func fromFile(path string) (config.AutoConfigKey, error) {
	text, err := read(path)
	if err != nil {
		return "", err
	}
	key := strings.TrimSpace(text)
	switch err := credential.Check(key); {
	case errors.Is(err, credential.ErrEmpty):
		return "", fmt.Errorf("the key file %s %w: it must hold the key", path, err)
	case err != nil:
		return "", fmt.Errorf("the key file %s must hold the key and nothing else: it %w", path, err)
	}
	return config.AutoConfigKey(key), nil
}

// read returns what is in a file, which must not be large.
func read(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("could not read the key file: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxSize+1))
	if err != nil {
		return "", fmt.Errorf("could not read the key file: %w", err)
	}
	if len(data) > maxSize {
		return "", fmt.Errorf("the key file %s is too large: it must hold the key and nothing else", path)
	}
	return string(data), nil
}
