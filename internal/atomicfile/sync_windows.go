package atomicfile

// SyncFolder does nothing: Windows has no way to sync a folder, and its file systems keep a journal of renames.
func SyncFolder(string) error { return nil }
