package redisstore_test

import (
	"fmt"

	"github.com/redis/go-redis/v9"

	"github.com/relayconf/relayconf/config"
	"github.com/relayconf/relayconf/store/redisstore"
)

func ExampleNew() {
	client := redis.NewClient(&redis.Options{Addr: "localhost:6379"})
	defer client.Close()
	cache, err := redisstore.New(client, redisstore.Options{
		Key:    config.AutoConfigKey("rel-00000000-0000-4000-8000-000000000001"),
		Prefix: "team-a",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Printf("%T\n", cache) // give it to a manager
	// Output: *redisstore.Store
}

func ExampleNewFromURL() {
	cache, err := redisstore.NewFromURL("rediss://relay:password@redis.example.com:6379/0?prefix=team-a", redisstore.Options{
		Key: config.AutoConfigKey("rel-00000000-0000-4000-8000-000000000001"),
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer cache.Close()
	fmt.Printf("%T\n", cache) // give it to a manager
	// Output: *redisstore.Store
}
