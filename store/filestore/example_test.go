package filestore_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/relayconf/relayconf/autoconfig"
	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/store/filestore"
)

func ExampleNew() {
	folder, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer os.RemoveAll(folder)

	cache, err := filestore.New(filepath.Join(folder, "relayconf.cache"), filestore.Options{
		Key: config.AutoConfigKey("rel-00000000-0000-4000-8000-000000000001"),
		// After a rotation of the auto-config key: OlderKeys: []config.AutoConfigKey{…},
	})
	if err != nil {
		fmt.Println(err)
		return
	}

	// A manager does this by itself.
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	none, err := cache.Load(ctx)
	fmt.Println(none == nil, err)
	err = cache.Save(ctx, &autoconfig.Snapshot{FormatVersion: autoconfig.SnapshotFormat, SavedAt: time.Now()})
	fmt.Println(err)
	snapshot, err := cache.Load(ctx)
	fmt.Println(len(snapshot.Environments), err)
	// Output:
	// true <nil>
	// <nil>
	// 0 <nil>
}
