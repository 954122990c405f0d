package sealed

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/relayconf/relayconf/autoconfig"
)

// pack appends the snapshot as compressed JSON to start. Even the fastest level leaves a fifth of the
// JSON, whose names come again and again, and takes less time than the JSON itself.
func pack(start []byte, snapshot *autoconfig.Snapshot, maxSize int64) ([]byte, error) {
	if snapshot == nil {
		return nil, errors.New("there is no snapshot to save: it is nil")
	}
	plain, err := json.Marshal(snapshot)
	if err != nil {
		return nil, fmt.Errorf("could not write the snapshot as JSON: %w", err)
	}
	if int64(len(plain)) > maxSize {
		return nil, tooLarge(maxSize)
	}
	out := bytes.NewBuffer(start)
	compressor, err := gzip.NewWriterLevel(out, gzip.BestSpeed)
	if err != nil {
		return nil, err
	}
	if _, err := compressor.Write(plain); err != nil {
		return nil, err
	}
	if err := compressor.Close(); err != nil {
		return nil, err
	}
	return out.Bytes(), nil
}

// unpack is the reverse of pack. What it gets is authentic. No error quotes the JSON, which has keys in it.
func unpack(packed []byte, maxSize int64) (*autoconfig.Snapshot, error) {
	decompressor, err := gzip.NewReader(bytes.NewReader(packed))
	if err != nil {
		return nil, fmt.Errorf("%w: it can't be decompressed", ErrDamaged)
	}
	plain, err := io.ReadAll(io.LimitReader(decompressor, maxSize+1))
	if err != nil {
		return nil, fmt.Errorf("%w: it can't be decompressed", ErrDamaged)
	}
	if int64(len(plain)) > maxSize {
		return nil, tooLarge(maxSize)
	}
	var snapshot autoconfig.Snapshot
	err = json.Unmarshal(plain, &snapshot)
	// A newer format may have other types: of a field that does not fit, the rest is decoded all the same.
	if snapshot.FormatVersion > autoconfig.SnapshotFormat {
		return nil, fmt.Errorf("%w: snapshot format %d, of which this one knows up to %d",
			ErrNewerFormat, snapshot.FormatVersion, autoconfig.SnapshotFormat)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: its JSON makes no sense", ErrDamaged)
	}
	return &snapshot, nil
}
