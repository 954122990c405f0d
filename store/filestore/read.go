package filestore

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/internal/sealed"
	"github.com/relayconf/relayconf/store"
)

// read returns what is in the file. The error is a *store.UnreadableError if that can't be used; info then says which
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
	// The buffer has room for what the size promises, and for the attempt that finds the end of the file.
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

// keepWhatIsNotOurs sets a file aside whose header says that it is not from one of the store's keys. What else can be
// wrong with a file is not worth reading it all before it is replaced.
func (s *Store) keepWhatIsNotOurs() {
	file, info, err := s.open()
	if err != nil || file == nil {
		return // the write that follows says what is wrong
	}
	start := make([]byte, sealed.HeaderSize)
	n, err := io.ReadFull(file, start)
	_ = file.Close()
	if err != nil && !errors.Is(err, io.ErrUnexpectedEOF) {
		return // an empty file holds nothing to keep
	}
	reason := s.box.CheckHeader(start[:n])
	if reason == nil || errors.Is(reason, store.ErrTruncated) {
		return
	}
	unreadable := s.unreadable(reason)
	s.setAside(unreadable, info)
	s.report(unreadable)
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
