package wire

// The members of an environment, in the order in which services write them. A new one is a constant, a name at the same
// place in environmentMembers, and a case in cursor.environment.
const (
	memberEnvID = iota
	memberEnvKey
	memberEnvName
	memberMobKey
	memberProjKey
	memberProjName
	memberSDKKey
	memberSDKKeys
	memberMobileKeys
	memberDefaultTTL
	memberSecureMode
	memberVersion
)

var environmentMembers = []string{
	memberEnvID:      `"envID":`,
	memberEnvKey:     `"envKey":`,
	memberEnvName:    `"envName":`,
	memberMobKey:     `"mobKey":`,
	memberProjKey:    `"projKey":`,
	memberProjName:   `"projName":`,
	memberSDKKey:     `"sdkKey":`,
	memberSDKKeys:    `"sdkKeys":`,
	memberMobileKeys: `"mobileKeys":`,
	memberDefaultTTL: `"defaultTtl":`,
	memberSecureMode: `"secureMode":`,
	memberVersion:    `"version":`,
}

// environment scans an environment.
func (c *cursor) environment(e *environmentFields) {
	o := object{names: environmentMembers}
	for more := c.open('{', '}'); more; more = c.more('}') {
		switch c.member(&o) {
		case memberEnvID:
			e.envID = c.part()
		case memberEnvKey:
			e.envKey = c.part()
		case memberEnvName:
			e.envName = c.part()
		case memberMobKey:
			e.mobKey = c.part()
		case memberProjKey:
			e.projKey = c.part()
		case memberProjName:
			e.projName = c.part()
		case memberSDKKey:
			c.sdkKey(e)
		case memberSDKKeys:
			e.sdkKeys = c.keys()
		case memberMobileKeys:
			e.mobileKeys = c.keys()
		case memberDefaultTTL:
			e.defaultTTL = c.int()
		case memberSecureMode:
			e.secureMode = c.bool()
		case memberVersion:
			e.version = c.int()
		}
	}
}

// The members of sdkKey.
const (
	memberValue = iota
	memberExpiring
)

var sdkKeyMembers = []string{memberValue: `"value":`, memberExpiring: `"expiring":`}

func (c *cursor) sdkKey(e *environmentFields) {
	if c.peek() == 'n' {
		c.null()
		return
	}
	o := object{names: sdkKeyMembers}
	for more := c.open('{', '}'); more; more = c.more('}') {
		switch c.member(&o) {
		case memberValue:
			e.sdkKey = c.part()
		case memberExpiring:
			c.expiring(e)
		}
	}
}

// The members of sdkKey.expiring.
const (
	memberExpiringValue = iota
	memberTimestamp
)

var expiringMembers = []string{memberExpiringValue: `"value":`, memberTimestamp: `"timestamp":`}

func (c *cursor) expiring(e *environmentFields) {
	if c.peek() == 'n' {
		c.null()
		return
	}
	o := object{names: expiringMembers}
	for more := c.open('{', '}'); more; more = c.more('}') {
		switch c.member(&o) {
		case memberExpiringValue:
			e.expiringKey = c.part()
		case memberTimestamp:
			e.expiringTime = c.millis()
		}
	}
}

// keys scans a list of keys, or null.
func (c *cursor) keys() (keys []keyFields) {
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

// The members of an entry of sdkKeys or mobileKeys.
const (
	memberKey = iota
	memberKeyValue
	memberExpiry
	memberHasViews
)

var keyMembers = []string{memberKey: `"key":`, memberKeyValue: `"value":`, memberExpiry: `"expiry":`, memberHasViews: `"hasViews":`}

func (c *cursor) key() (k keyFields) {
	o := object{names: keyMembers}
	for more := c.open('{', '}'); more; more = c.more('}') {
		switch c.member(&o) {
		case memberKey:
			k.key = c.part()
		case memberKeyValue:
			k.value = c.part()
		case memberExpiry:
			k.expires = c.peek() != 'n'
			k.expiry = c.millis()
		case memberHasViews:
			k.hasViews = c.bool()
		}
	}
	return k
}
