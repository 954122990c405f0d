package shared

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/relayconf/relayconf/config"
)

// secret is derived from the key that all hubs of a fleet have. It authenticates their records, and names the fleet.
type secret struct {
	fleet string // id: part of the keys in Redis
	mac   []byte
}

const fleetIDSize = 8

func newSecret(key config.AutoConfigKey) (secret, error) {
	id, err := hkdf.Key(sha256.New, []byte(key), nil, "relayconf fleet v1 id", fleetIDSize)
	if err != nil {
		return secret{}, fmt.Errorf("could not derive the id of the fleet: %w", err)
	}
	mac, err := hkdf.Key(sha256.New, []byte(key), nil, "relayconf fleet v1 records", sha256.Size)
	if err != nil {
		return secret{}, fmt.Errorf("could not derive the key for records of the fleet: %w", err)
	}
	return secret{hex.EncodeToString(id), mac}, nil
}

// kind is the kind of a record. A record of one kind, or from one place in Redis, is none of another.
type kind string

const (
	kindHeartbeat kind = "heartbeat"
	kindPart      kind = "part"
	kindName      kind = "name"
	kindAll       kind = "all names"
	kindCall      kind = "call"
	kindReply     kind = "reply"
)

const (
	envelopeVersion = 1
	headerSize      = 1 + sha256.Size
	maxRecord       = 8 << 20 // bytes
)

var (
	errForged  = errors.New("it was not written by a hub that has the fleet's key")
	errTooLong = errors.New("it is too long")
)

// seal encodes a record for a place: a version, the HMAC-SHA256 of everything else with the kind and the place, and JSON.
func (s secret) seal(k kind, place string, record any) ([]byte, error) {
	text, err := json.Marshal(record)
	if err != nil {
		return nil, err
	}
	if len(text) > maxRecord-headerSize {
		return nil, errTooLong
	}
	return append(append([]byte{envelopeVersion}, s.sum(k, place, text)...), text...), nil
}

// open decodes a record of seal.
func (s secret) open(k kind, place string, data []byte, record any) error {
	switch {
	case len(data) > maxRecord:
		return errTooLong
	case len(data) < headerSize || data[0] != envelopeVersion:
		return errForged
	}
	if !hmac.Equal(data[1:headerSize], s.sum(k, place, data[headerSize:])) {
		return errForged
	}
	if err := json.Unmarshal(data[headerSize:], record); err != nil {
		return fmt.Errorf("it can't be decoded: %w", err)
	}
	return nil
}

func (s secret) sum(k kind, place string, text []byte) []byte {
	h := hmac.New(sha256.New, s.mac)
	// No kind has a zero byte in it, and no place of ours has.
	fmt.Fprintf(h, "%d\x00%s\x00%s\x00", envelopeVersion, k, place)
	h.Write(text)
	return h.Sum(nil)
}
