package main

import "os"

// reload is nil: Windows has no such signal.
var reload os.Signal
