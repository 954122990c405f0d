package atomicfile

// syncFolder does nothing: Windows has no way to sync a folder, and its file systems keep a journal of renames.
func syncFolder(string) error { return nil }
