package wiretest

import "strings"

// OddEnvironments are environments written in ways that services don't.
var OddEnvironments = []string{
	`null`, `{}`, ` { } `, `{"envID":"a"}`, `{"ENVID":"a","Version":3}`, `{"envID":"a","envID":"b"}`, `{"envID":"\u0061","version":1}`,
	`{"envID":"a","version":1e2}`, `{"envID":"a","version":-7}`, `{"envID":"a","version":1.0}`, `{"envID":"a","version":01}`,
	`{"envID":"a","version":123456789012345678}`, `{"envID":"a","version":9223372036854775807}`, `{"envID":"a","version":9223372036854775808}`,
	`{"envID":null,"envKey":null,"mobKey":null,"sdkKey":null,"sdkKeys":null,"mobileKeys":null,"defaultTtl":null,"secureMode":null,"version":null}`,
	`{"envID":"a","defaultTtl":70000}`, `{"envID":"a","defaultTtl":-1}`, `{"envID":"a","secureMode":"true"}`, `{"envID":7}`, `{"sdkKey":[]}`,
	`{"envID":"a","sdkKey":{"value":"s","expiring":null}}`, `{"envID":"a","sdkKey":{"value":"s","expiring":{"value":"o","timestamp":17900000}}}`,
	`{"envID":"a","sdkKey":{"value":"s"},"sdkKey":{"expiring":{"value":"o"}}}`, `{"envID":"a","sdkKey":{"expiring":{"timestamp":18446744073709551615}}}`,
	`{"envID":"a","sdkKeys":[],"mobileKeys":[{}]}`, `{"envID":"a","sdkKeys":[null]}`, `{"envID":"a","sdkKeys":[{"key":"k","value":"v","expiry":5,"hasViews":true},{"expiry":null}]}`,
	`{"envID":"a","sdkKeys":[{"expiry":1}],"sdkKeys":[{}]}`, `{"envID":"a","mobileKeys":[{"value":"v","Value":"w"}]}`, `{"envID":"a","mobileKeys":[{"key":"k"},]}`,
	`{"envID":"a","unknown":{"version":[1,2,{"x":"y"}]},"version":4}`, `{"envID":"a","unknown":{]}`, `{"envID":"a","ſdkKey":{"value":"long s"},"proj` + "\u212a" + `ey":"kelvin"}`,
	"{\"envID\":\"a\",\"envName\":\"caf\u00e9\",\"projName\":\"\xff\xfe\"}", "{\"envID\":\"a\x00\"}", "\t{\r\n\"envID\" : \"a\" , \"version\" : 2 }\n", `{"projKey":"a` + "\\u0000" + `b","projName":""}`,
	`{"envID":"` + strings.Repeat("a", 70_000) + `"}`, `{"envID":"a"`, `{"envID":"a",}`, `{"envID" "a"}`, `["envID"]`, `"a"`, `7`, `tru`, `{"a":` + strings.Repeat("[", 9_996) + strings.Repeat("]", 9_996) + `}`,
	`{"a":` + strings.Repeat("[", 9_997) + strings.Repeat("]", 9_997) + `}`,
}

// OddPuts are puts written in ways that services don't.
func OddPuts() (puts []string) {
	for _, e := range OddEnvironments {
		puts = append(puts, `{"path":"/","data":{"environments":{"a":`+e+`,"b":`+Env("b", 1)+`}}}`)
	}
	filters := `"filters":{"f":{"key":"f","version":1},"f":{"KEY":"g"},"g":null}`
	return append(puts, ``, ` `, `null`, ` null `, `nul`, `7`, `[]`, `"put"`, `{}`, `{}{}`, `{"path":"/"}`, `{"path":"/","data":null}`, `{"path":null,"data":{}}`, `{"path":"\/"}`,
		`{"path":7}`, `{"PATH":"/","Data":{"ENVIRONMENTS":{"a":{}},"Filters":{"x":{}}}}`, `{"path":"/","data":{"environments":null,`+filters+`}}`, `{"path":"/","data":{`+filters+`,"filters":null}}`,
		`{"path":"/","data":{"environments":{"a":{"envID":"a"}},"environments":{"b":{"envID":"b"}}}}`, `{"path":"/","data":{"environments":{"a":{"envID":"a"}},"environments":null}}`,
		`{"path":"/","data":{"environments":{"a":{"envID":"a","version":1},"b":{},"\u0061":{"envID":"a","version":2}}},"data":{"environments":{"a":{"envID":"a","version":3}}},"path":"/x"}`,
		`{"path":"/","data":{"environments":{"a":{"envID":"a"}}}`, `{"path":"/","data":{"environments":[]}}`, `{"path":"/","data":{"environments":{"":null}},"else":[{"x":"y"}]} x`,
		`{"path":"/","data":{"environments":{"a":{}}},"else":{"deep":"`+strings.Repeat("x", 5_000)+`"}}`, ` { "path" : "/" , "data" : { "environments" : { "a" : { "envID" : "a" } , "b" : { } } , "filters" : { } } } `)
}
