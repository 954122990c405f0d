package filestore

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// writerEnv makes a process of this test binary a writer: see writer_test.go.
const writerEnv = "FILESTORE_TEST_WRITER"

func TestMain(m *testing.M) {
	if path := os.Getenv(writerEnv); path != "" {
		runWriter(path)
		return
	}
	goleak.VerifyTestMain(m)
}
