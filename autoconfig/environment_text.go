package autoconfig

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

// The members that are known, by their numbers.
var (
	environmentMembers = []string{`"envID"`, `"envKey"`, `"envName"`, `"mobKey"`, `"projKey"`, `"projName"`, `"sdkKey"`,
		`"sdkKeys"`, `"mobileKeys"`, `"defaultTtl"`, `"secureMode"`, `"version"`}
	sdkKeyMembers   = []string{`"value"`, `"expiring"`}
	expiringMembers = []string{`"value"`, `"timestamp"`}
	keyMembers      = []string{`"key"`, `"value"`, `"expiry"`, `"hasViews"`}
)

// environment takes an environment.
func (c *cursor) environment() (e environmentText) {
	o := object{names: environmentMembers}
	for more := c.open('{', '}'); more; more = c.more('}') {
		switch c.member(&o) {
		case 0: // envID
			e.envID = c.string()
		case 1: // envKey
			e.envKey = c.string()
		case 2: // envName
			e.envName = c.string()
		case 3: // mobKey
			e.mobKey = c.string()
		case 4: // projKey
			e.projKey = c.string()
		case 5: // projName
			e.projName = c.string()
		case 6: // sdkKey
			c.sdkKey(&e)
		case 7: // sdkKeys
			e.sdkKeys = c.keys()
		case 8: // mobileKeys
			e.mobileKeys = c.keys()
		case 9: // defaultTtl
			e.defaultTTL = c.int()
		case 10: // secureMode
			e.secureMode = c.bool()
		case 11: // version
			e.version = c.int()
		}
	}
	return e
}

func (c *cursor) sdkKey(e *environmentText) {
	if c.peek() == 'n' {
		c.null()
		return
	}
	o := object{names: sdkKeyMembers}
	for more := c.open('{', '}'); more; more = c.more('}') {
		switch c.member(&o) {
		case 0: // value
			e.sdkKey = c.string()
		case 1: // expiring
			c.expiring(e)
		}
	}
}

func (c *cursor) expiring(e *environmentText) {
	if c.peek() == 'n' {
		c.null()
		return
	}
	o := object{names: expiringMembers}
	for more := c.open('{', '}'); more; more = c.more('}') {
		switch c.member(&o) {
		case 0: // value
			e.expiringKey = c.string()
		case 1: // timestamp
			e.expiringTime = c.millis()
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
	o := object{names: keyMembers}
	for more := c.open('{', '}'); more; more = c.more('}') {
		switch c.member(&o) {
		case 0: // key
			k.key = c.string()
		case 1: // value
			k.value = c.string()
		case 2: // expiry
			k.expires = c.peek() != 'n'
			k.expiry = c.millis()
		case 3: // hasViews
			k.hasViews = c.bool()
		}
	}
	return k
}
