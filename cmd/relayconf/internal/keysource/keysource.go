// Package keysource reads auto-configuration keys: from a file if there is one, else from the environment.
package keysource

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/internal/credential"
)

// ErrNoKey means that there is neither a file nor a variable.
var ErrNoKey = errors.New("there is no auto-configuration key: set AUTO_CONFIG_KEY, or name a file with --key-file")

// maxSize is more than any key has: a larger file is the wrong one.
const maxSize = 4 << 10

// Read returns the key in the file, or, if path is empty, the fallback. No error shows the content of the file.
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
// error shows the content of the file.
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

// patience is how long a pipe may take to deliver. It is more than a program takes that fetches a secret.
const patience = 5 * time.Second

// read returns the content of a file, which must not be large. A pipe is waited for, but not for ever.
func read(path string) (string, error) {
	file, err := open(path)
	if err != nil {
		return "", fmt.Errorf("could not read the key file: %w", err)
	}
	defer file.Close()
	data, err := readAll(file, time.Now().Add(patience))
	switch {
	case errors.Is(err, os.ErrDeadlineExceeded):
		return "", fmt.Errorf("the key file %s is a pipe that has not delivered within %s", path, patience)
	case err != nil:
		return "", fmt.Errorf("could not read the key file: %w", err)
	case len(data) > maxSize:
		return "", fmt.Errorf("the key file %s is too large: it must hold the key and nothing else", path)
	}
	return string(data), nil
}

// readAll reads a little more than a key may have.
func readAll(file *os.File, deadline time.Time) ([]byte, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	_ = file.SetReadDeadline(deadline) // regular files need none, and have none
	for {
		data, err := io.ReadAll(io.LimitReader(file, maxSize+1))
		switch {
		case err != nil || len(data) > 0 || info.Mode()&os.ModeNamedPipe == 0:
			return data, err
		case time.Now().After(deadline):
			return nil, os.ErrDeadlineExceeded
		}
		time.Sleep(pollEvery) // a named pipe that nobody has open for writing is at its end, and can't be waited for
	}
}

// pollEvery is how often a named pipe is tried.
const pollEvery = 10 * time.Millisecond
