package sealed

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/hkdf"
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
)

// DefaultMaxSize is the limit of a Box for which none is given, in bytes: 1 GiB. A snapshot of 100,000 environments
// takes 43 MB as JSON, and 8 MB sealed.
const DefaultMaxSize = 1 << 30

// Box seals snapshots with its present key, and opens data that was sealed with this or an older key. Any goroutine may
// use it. It prints without its keys.
type Box struct {
	maxSize int64

	mu   sync.Mutex
	keys []config.AutoConfigKey // the present one first
}

// NewBox returns a Box that seals with key, and opens with key and the older ones. A key is the auto-config key, or any
// other secret that is long and random: it is not stretched. The limit maxSize is that of a snapshot in bytes, both
// sealed and as JSON; if it is not positive, it is DefaultMaxSize. An empty key is an error.
func NewBox(key config.AutoConfigKey, older []config.AutoConfigKey, maxSize int64) (*Box, error) {
	if key == "" {
		return nil, errors.New("a key is needed to encrypt the stored configuration with, such as the auto-config key")
	}
	if slices.Contains(older, "") {
		return nil, errors.New("an older key is empty: leave it out if there is none")
	}
	if maxSize <= 0 {
		maxSize = DefaultMaxSize
	}
	return &Box{maxSize: maxSize, keys: append([]config.AutoConfigKey{key}, older...)}, nil
}

// MaxSize returns the limit of a snapshot in bytes.
func (b *Box) MaxSize() int64 { return b.maxSize }

// SetKey makes the Box seal with key from now on. The former keys still open snapshots that they have sealed.
// An empty key is ignored.
func (b *Box) SetKey(key config.AutoConfigKey) {
	if key == "" {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.setKey(key)
}

// RotateKey is SetKey for a Box that seals with former now. A Box with another key stays as it is: its secret is not the
// one that was rotated. It is all that a store needs for autoconfig.KeyedStore.
func (b *Box) RotateKey(former, key config.AutoConfigKey) {
	if key == "" {
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.keys[0] == former {
		b.setKey(key)
	}
}

// setKey needs the lock.
func (b *Box) setKey(key config.AutoConfigKey) {
	former := slices.DeleteFunc(slices.Clone(b.keys), func(k config.AutoConfigKey) bool { return k == key })
	b.keys = append([]config.AutoConfigKey{key}, former...)
}

// Format hides the keys, which package fmt would otherwise print whole with every verb.
func (b *Box) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte("sealed.Box")) }

func (b *Box) allKeys() []config.AutoConfigKey {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.keys
}

// Seal encrypts a snapshot. It returns an error if that is nil, and ErrTooLarge if it is larger than the limit.
func (b *Box) Seal(snapshot *autoconfig.Snapshot) ([]byte, error) {
	// The payload goes behind the header, and the tag behind that, without another copy of it all.
	sealed, err := pack(make([]byte, HeaderSize), snapshot, b.maxSize)
	if err != nil {
		return nil, err
	}
	payload := sealed[HeaderSize:]
	h := header{payloadSize: uint64(len(payload)) + tagSize}
	_, _ = rand.Read(h.salt[:]) // never fails
	_, _ = rand.Read(h.nonce[:])
	derived, err := derive(b.allKeys()[0], h.salt[:])
	if err != nil {
		return nil, err
	}
	h.keyCheck = derived.check
	if int64(len(sealed))+tagSize > b.maxSize {
		return nil, tooLarge(b.maxSize)
	}
	copy(sealed, h.bytes())
	sealed = append(sealed, make([]byte, tagSize)...)
	payload = sealed[HeaderSize : len(sealed)-tagSize]
	derived.aead.Seal(payload[:0], h.nonce[:], payload, sealed[:HeaderSize])
	return sealed, nil
}

// Open decrypts a snapshot. An error is one of those of this package, as by errors.Is. The data is decrypted in place,
// and is of no use afterwards.
func (b *Box) Open(sealed []byte) (*autoconfig.Snapshot, error) {
	if int64(len(sealed)) > b.maxSize {
		return nil, tooLarge(b.maxSize)
	}
	h, err := parseHeader(sealed)
	if err != nil {
		return nil, err
	}
	payload := sealed[HeaderSize:]
	switch size := uint64(len(payload)); {
	case size < h.payloadSize:
		return nil, fmt.Errorf("%w: %d bytes of %d are there", ErrTruncated, size+HeaderSize, h.payloadSize+HeaderSize)
	case size > h.payloadSize:
		return nil, fmt.Errorf("%w: something follows its end", ErrDamaged)
	}
	derived, err := b.find(h)
	if err != nil {
		return nil, err
	}
	packed, err := derived.aead.Open(payload[:0], h.nonce[:], payload, sealed[:HeaderSize])
	if err != nil {
		return nil, fmt.Errorf("%w: its content is not what was written", ErrDamaged)
	}
	return unpack(packed, b.maxSize)
}

// CheckHeader tells from the first HeaderSize bytes of sealed data, or from all of it if it is shorter, whether Open could
// succeed: nil, or the error that Open would return. Damage behind the header it does not see.
func (b *Box) CheckHeader(start []byte) error {
	h, err := parseHeader(start)
	if err != nil {
		return err
	}
	_, err = b.find(h)
	return err
}

// find derives the encryption key from the key with which the header was made.
func (b *Box) find(h *header) (*derivedKey, error) {
	for _, key := range b.allKeys() {
		derived, err := derive(key, h.salt[:])
		if err != nil {
			return nil, err
		}
		if subtle.ConstantTimeCompare(derived.check[:], h.keyCheck[:]) == 1 {
			return derived, nil
		}
	}
	return nil, ErrWrongKey
}

func tooLarge(limit int64) error {
	return fmt.Errorf("%w: the limit is %d bytes", ErrTooLarge, limit)
}

// derivedKey is derived from one secret and one salt.
type derivedKey struct {
	aead  cipher.AEAD
	check [keyCheckSize]byte
}

func derive(key config.AutoConfigKey, salt []byte) (*derivedKey, error) {
	secret := []byte(key)
	encryption, err := hkdf.Key(sha256.New, secret, salt, "relayconf snapshot v1 encryption", 32)
	if err != nil {
		return nil, fmt.Errorf("could not derive a key: %w", err)
	}
	check, err := hkdf.Key(sha256.New, secret, salt, "relayconf snapshot v1 key check", keyCheckSize)
	if err != nil {
		return nil, fmt.Errorf("could not derive a key check: %w", err)
	}
	block, err := aes.NewCipher(encryption)
	if err != nil {
		return nil, err
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		return nil, err
	}
	return &derivedKey{aead: aead, check: [keyCheckSize]byte(check)}, nil
}
