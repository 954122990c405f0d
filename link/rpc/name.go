package rpc

import (
	"unicode"
	"unicode/utf8"

	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
)

// MaxNameLength is the longest name that a client can have, in bytes.
const MaxNameLength = 128

// CheckName returns nil if a client can have this name: 1 to [MaxNameLength] bytes of printable UTF-8, so that it can be
// written to a log or a terminal as it is. Otherwise it returns an error with the code InvalidArgument.
func CheckName(name string) error {
	switch {
	case name == "":
		return status.Error(codes.InvalidArgument, "rpc: the client's name is empty: give it one")
	case len(name) > MaxNameLength:
		return status.Errorf(codes.InvalidArgument, "rpc: the client's name has %d bytes: at most %d are allowed",
			len(name), MaxNameLength)
	case !utf8.ValidString(name):
		return status.Errorf(codes.InvalidArgument, "rpc: the client's name %q is not UTF-8", name)
	}
	for _, char := range name {
		if !unicode.IsPrint(char) {
			return status.Errorf(codes.InvalidArgument,
				"rpc: the client's name %q has the character %U: only printable ones are allowed", name, char)
		}
	}
	return nil
}
