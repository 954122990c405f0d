package autoconfig

import ()

// environmentText is an environment as slices of the text that it is written in.
type environmentText struct {
	envID, envKey, envName, projKey, projName, mobKey []byte
	sdkKey, expiringKey                               []byte
	expiringTime                                      uint64
	sdkKeys, mobileKeys                               []keyText // nil if there is no list
	defaultTTL, version                               int
	secureMode                                        bool
}

// keyText is an entry of a list of keys.
type keyText struct {
	key, value []byte
	expires    bool
	expiry     uint64
	hasViews   bool
}

// The members that are known. In each object they are numbered in this order.
var (
	environmentMembers = []string{"envID", "envKey", "envName", "projKey", "projName", "mobKey", "sdkKey",
		"sdkKeys", "mobileKeys", "defaultTtl", "secureMode", "version"}
	sdkKeyMembers   = []string{"value", "expiring"}
	expiringMembers = []string{"value", "timestamp"}
	keyMembers      = []string{"key", "value", "expiry", "hasViews"}
)

// environment takes an environment.
func (c *cursor) environment() (e environmentText) {
	var seen members
	for more := c.open('{', '}'); more; more = c.more('}') {
		switch name := c.name(); string(name) {
		case "envID":
			c.once(&seen, 0)
			e.envID = c.string()
		case "envKey":
			c.once(&seen, 1)
			e.envKey = c.string()
		case "envName":
			c.once(&seen, 2)
			e.envName = c.string()
		case "projKey":
			c.once(&seen, 3)
			e.projKey = c.string()
		case "projName":
			c.once(&seen, 4)
			e.projName = c.string()
		case "mobKey":
			c.once(&seen, 5)
			e.mobKey = c.string()
		case "sdkKey":
			c.once(&seen, 6)
			c.sdkKey(&e)
		case "sdkKeys":
			c.once(&seen, 7)
			e.sdkKeys = c.keys()
		case "mobileKeys":
			c.once(&seen, 8)
			e.mobileKeys = c.keys()
		case "defaultTtl":
			c.once(&seen, 9)
			e.defaultTTL = c.int()
		case "secureMode":
			c.once(&seen, 10)
			e.secureMode = c.bool()
		case "version":
			c.once(&seen, 11)
			e.version = c.int()
		default:
			c.skip(name, environmentMembers)
		}
	}
	return e
}

func (c *cursor) sdkKey(e *environmentText) {
	if c.peek() == 'n' {
		c.null()
		return
	}
	var seen members
	for more := c.open('{', '}'); more; more = c.more('}') {
		switch name := c.name(); string(name) {
		case "value":
			c.once(&seen, 0)
			e.sdkKey = c.string()
		case "expiring":
			c.once(&seen, 1)
			c.expiring(e)
		default:
			c.skip(name, sdkKeyMembers)
		}
	}
}

func (c *cursor) expiring(e *environmentText) {
	if c.peek() == 'n' {
		c.null()
		return
	}
	var seen members
	for more := c.open('{', '}'); more; more = c.more('}') {
		switch name := c.name(); string(name) {
		case "value":
			c.once(&seen, 0)
			e.expiringKey = c.string()
		case "timestamp":
			c.once(&seen, 1)
			e.expiringTime = c.millis()
		default:
			c.skip(name, expiringMembers)
		}
	}
}

// keys takes a list of keys, or null.
func (c *cursor) keys() (keys []keyText) {
	if c.peek() == 'n' {
		c.null()
		return nil
	}
	if !c.open('[', ']') {
		c.fail(errUnusual) // an empty list
		return nil
	}
	for more := true; more; more = c.more(']') {
		keys = append(keys, c.key())
	}
	return keys
}

func (c *cursor) key() (k keyText) {
	var seen members
	for more := c.open('{', '}'); more; more = c.more('}') {
		switch name := c.name(); string(name) {
		case "key":
			c.once(&seen, 0)
			k.key = c.string()
		case "value":
			c.once(&seen, 1)
			k.value = c.string()
		case "expiry":
			c.once(&seen, 2)
			k.expires = c.peek() != 'n'
			k.expiry = c.millis()
		case "hasViews":
			c.once(&seen, 3)
			k.hasViews = c.bool()
		default:
			c.skip(name, keyMembers)
		}
	}
	return k
}
