package filestore

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/store"
	"github.com/relayconf/relayconf/store/sealed"
)

// read returns the snapshot in the file. The error is a *store.UnreadableError if it can't be used; info then says which
// file it was. Without a file, all of them are nil.
func (s *Store) read() (snapshot *autoconfig.Snapshot, info fs.FileInfo, err error) {
	file, info, err := s.open()
	if file == nil {
		return nil, nil, err
	}
	defer file.Close()
	if info.Size() > s.box.MaxSize() {
		return nil, info, s.unreadable(fmt.Errorf("%w: it has %d bytes, and the limit is %d",
			store.ErrTooLarge, info.Size(), s.box.MaxSize()))
	}
	// The buffer has room for the whole file, and for the attempt that finds the end of the file.
	data := bytes.NewBuffer(make([]byte, 0, info.Size()+bytes.MinRead))
	if _, err := data.ReadFrom(io.LimitReader(file, s.box.MaxSize()+1)); err != nil {
		return nil, nil, fmt.Errorf("could not read the stored configuration: %w", err)
	}
	snapshot, err = s.box.Open(data.Bytes())
	if err != nil {
		return nil, info, s.unreadable(err)
	}
	return snapshot, info, nil
}

// unusableFile is a file and the reason why it can't be used.
type unusableFile struct {
	info   fs.FileInfo
	reason error
}

// check returns an error if the file is one that a Load could not use, or if its header says that it is not encrypted
// with one of the store's keys. It does not read the rest: the file is about to be replaced.
func (s *Store) check() (*store.UnreadableError, fs.FileInfo) {
	file, info, err := s.open()
	if err != nil || file == nil {
		return nil, nil // the write that follows returns the error
	}
	defer file.Close()
	if s.unusable != nil && same(s.unusable.info, info) {
		return s.unreadable(s.unusable.reason), info
	}
	start := make([]byte, sealed.HeaderSize)
	n, err := io.ReadFull(file, start)
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) && !errors.Is(err, io.EOF) {
		return nil, nil
	}
	if reason := s.box.CheckHeader(start[:n]); reason != nil {
		return s.unreadable(reason), info
	}
	return nil, nil
}

// open returns no file and no error if there is none.
func (s *Store) open() (*os.File, fs.FileInfo, error) {
	info, err := os.Stat(s.path) // opening something else than a file can hang
	if err == nil && !info.Mode().IsRegular() {
		return nil, nil, fmt.Errorf("could not read the stored configuration: %s is not a regular file", s.path)
	}
	var file *os.File
	if err == nil {
		file, err = os.Open(s.path)
	}
	if err == nil {
		info, err = file.Stat()
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, nil, nil
	case err != nil:
		if file != nil {
			_ = file.Close()
		}
		return nil, nil, fmt.Errorf("could not read the stored configuration: %w", err)
	}
	return file, info, nil
}

func (s *Store) unreadable(reason error) *store.UnreadableError {
	return &store.UnreadableError{Place: s.path, Reason: reason}
}
