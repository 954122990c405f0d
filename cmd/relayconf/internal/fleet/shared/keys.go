package shared

import "strconv"

// keys are the names of what a fleet has in Redis. Their hash tag puts all of them on one node of a Cluster.
type keys struct{ prefix string }

func newKeys(prefix, fleet string) keys { return keys{prefix + ":{" + fleet + "}:"} }

// hubs is a hash: a heartbeat for each hub, by its instance.
func (k keys) hubs() string { return k.prefix + "hubs" }

// roster is a hash: parts of a hub's roster, by their numbers. It expires.
func (k keys) roster(instance string) string { return k.prefix + "roster:" + instance }

// news is a channel on which hubs tell that they have written something.
func (k keys) news() string { return k.prefix + "news" }

// partPlace is the place of a part, for its envelope.
func partPlace(instance string, number int) string { return instance + "/" + strconv.Itoa(number) }
