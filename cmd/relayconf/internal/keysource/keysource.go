// Package keysource reads the auto-configuration key: from a file if there is one, else from the environment.
package keysource

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"unicode"

	"github.com/relayconf/relayconf/config"
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

// fromFile reads a file that holds nothing but a key. White space around it does not count: editors and "echo" end a
// file with a line feed.
func fromFile(path string) (config.AutoConfigKey, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("could not read the key file: %w", err)
	}
	defer file.Close()
	data, err := io.ReadAll(io.LimitReader(file, maxSize+1))
	if err != nil {
		return "", fmt.Errorf("could not read the key file: %w", err)
	}
	key := strings.TrimSpace(string(data))
	unfit := func(r rune) bool { return unicode.IsSpace(r) || !unicode.IsPrint(r) || r > unicode.MaxASCII }
	switch {
	case len(data) > maxSize:
		return "", fmt.Errorf("the key file %s is too large: it must hold the key and nothing else", path)
	case key == "":
		return "", fmt.Errorf("the key file %s is empty: it must hold the key", path)
	case strings.ContainsFunc(key, unfit):
		return "", fmt.Errorf("the key file %s holds more than a key: it must hold one line of plain characters", path)
	}
	return config.AutoConfigKey(key), nil
}
