package atomicfile

import (
	"os"
	"path/filepath"
	"strings"
)

// lockAndCleanUp removes the temporary files that killed processes left beside the target. Whoever writes shares a lock
// on the folder until it has renamed its file, so that one who can have the lock alone knows that nobody writes there,
// and that every temporary file is a leftover. A lock goes away with its process, however that ends.
//
// Where there is no such lock, or somebody is writing, the leftovers stay for the next time.
func lockAndCleanUp(target string) (unlock func()) {
	lock := openFolderLock(filepath.Dir(target))
	if lock.tryAlone() {
		removeLeftovers(target)
	}
	lock.share()
	return lock.release
}

func removeLeftovers(target string) {
	folder := filepath.Dir(target)
	entries, err := os.ReadDir(folder)
	if err != nil {
		return // the write that follows says what is wrong with the folder
	}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), tempPrefix(target)) && entry.Type().IsRegular() {
			_ = os.Remove(filepath.Join(folder, entry.Name()))
		}
	}
}
