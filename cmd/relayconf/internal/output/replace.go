package output

import (
	"context"
	"io"
	"io/fs"
	"os"
	"time"

	"github.com/relayconf/relayconf/cmd/relayconf/internal/change"
	"github.com/relayconf/relayconf/internal/atomicfile"
)

// replace writes the file, with the mode, owner and group of the file that is there.
func (w *Writer) replace(snapshot change.Snapshot) error {
	mode, like := fs.FileMode(atomicfile.Mode), fs.FileInfo(nil)
	if info, err := os.Stat(w.options.Path); err == nil {
		mode, like = info.Mode().Perm(), info
	}
	if w.options.Mode != 0 {
		mode = w.options.Mode
	}
	replacer := atomicfile.Replacer{Create: func(folder, pattern string) (atomicfile.File, error) {
		file, err := os.CreateTemp(folder, pattern)
		if err != nil {
			return nil, err
		}
		return &ownedFile{File: file, writer: w, mode: mode, like: like}, nil
	}}
	return replacer.Write(context.Background(), w.options.Path, func(out io.Writer) error {
		return Encode(out, snapshot, time.Now())
	})
}

// ownedFile is a temporary file that gets the owner and group of the file which it will replace.
type ownedFile struct {
	*os.File
	writer *Writer
	mode   fs.FileMode
	like   fs.FileInfo // nil if there is no such file
}

// Chmod sets the mode that was asked for, not the mode of the package atomicfile, and the owner and group.
func (f *ownedFile) Chmod(fs.FileMode) error {
	mode := f.mode
	if f.like != nil {
		if err := setGroup(f.File, f.like); err != nil {
			mode = f.withoutGroup(mode, err)
		}
	}
	return f.File.Chmod(mode)
}

// withoutGroup takes the rights of the group away, unless they were asked for: it is another group than before, which must
// not read the keys.
func (f *ownedFile) withoutGroup(mode fs.FileMode, err error) fs.FileMode {
	if f.writer.options.Mode == 0 {
		mode &^= 0o070
	}
	if !f.writer.groupLost {
		f.writer.groupLost = true
		f.writer.options.Report("the output file can't keep its group: %v; its mode is now %04o", err, mode)
	}
	return mode
}
