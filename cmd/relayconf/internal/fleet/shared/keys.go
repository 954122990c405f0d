package shared

import "strconv"

// keys are the names of a fleet's keys in Redis. Their hash tag puts all of them on one node of a Cluster.
type keys struct{ prefix string }

func newKeys(prefix, fleet string) keys { return keys{prefix + ":{" + fleet + "}:"} }

// hubs is a hash: a heartbeat for each hub, by its instance.
func (k keys) hubs() string { return k.prefix + "hubs" }

// roster is a hash: parts of a hub's roster, by their numbers.
func (k keys) roster(instance string) string { return k.prefix + "roster:" + instance }

// names is a hash: a record for each name of a relay that was seen, or forgotten.
func (k keys) names() string { return k.prefix + "names" }

// namesMark is a random text, another one after each change of the names.
func (k keys) namesMark() string { return k.prefix + "names-mark" }

// epoch is a counter.
func (k keys) epoch() string { return k.prefix + "epoch" }

// news is a channel on which hubs tell that they have written something.
func (k keys) news() string { return k.prefix + "news" }

// mail is a channel on which a hub gets calls and answers.
func (k keys) mail(instance string) string { return k.prefix + "mail:" + instance }

// partPlace is the place of a part, for its envelope.
func partPlace(instance string, number int) string { return instance + "/" + strconv.Itoa(number) }
