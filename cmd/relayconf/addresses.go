package main

import (
	"errors"
	"fmt"
	"net"
	"syscall"
)

// checkAddress refuses text that can't be the address of a listener.
func checkAddress(flag, address string) error {
	_, port, err := net.SplitHostPort(address)
	if err == nil {
		_, err = net.LookupPort("tcp", port)
	}
	if err != nil || port == "" {
		return usageError("--%s %s is no address: it must be HOST:PORT, such as 127.0.0.1:8031, or :8030 for all addresses of this machine; "+
			"port 0 picks a free one", flag, address)
	}
	return nil
}

// listenError adds the flag to the error of a listener. An address that this machine does not have is bad usage; one that is
// in use is not, since it may be free when a supervisor starts the command again.
func listenError(flag, address string, err error) error {
	var name *net.DNSError
	switch {
	case errors.Is(err, inUse):
		return fmt.Errorf("the address %s is in use: give another --%s, or end the program that listens there", address, flag)
	case errors.As(err, &name) || errors.Is(err, syscall.EADDRNOTAVAIL):
		return usageError("%w; give another --%s, which must be an address of this machine", err, flag)
	}
	return err
}
