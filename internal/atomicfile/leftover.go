package atomicfile

import (
	"os"
	"path/filepath"
	"strings"
	"time"
)

// leftoverAge is the age at which a temporary file counts as left over. A write that takes that long is given up by
// everybody; a younger file may be one that another process is writing now.
const leftoverAge = 24 * time.Hour

// removeLeftovers removes the old temporary files beside the target, which killed processes left there. It is only about
// room on the disk, so that a failure is no reason to say anything.
func removeLeftovers(target string, now time.Time) {
	folder := filepath.Dir(target)
	entries, err := os.ReadDir(folder)
	if err != nil {
		return // the write that follows fails with the reason
	}
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), tempPrefix(target)) || !entry.Type().IsRegular() {
			continue
		}
		if info, err := entry.Info(); err == nil && now.Sub(info.ModTime()) > leftoverAge {
			_ = os.Remove(filepath.Join(folder, entry.Name()))
		}
	}
}
