// Command release knows the modules of this repository: it makes a module proxy of them, and prepares their versions.
// The scripts installcheck and release use it.
//
//	go run ./internal/release proxy FOLDER     make a module proxy in a folder, and print the version that it has
//	go run ./internal/release version VERSION  make every module require this version of the others
//	go run ./internal/release published        print the folders of the modules that others use, in the order of their tags
package main

import (
	"errors"
	"fmt"
	"io"
	"os"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	if len(args) == 0 {
		return errors.New("usage: release proxy FOLDER | version VERSION | published")
	}
	modules, err := readModules(".")
	if err != nil {
		return err
	}
	switch {
	case args[0] == "proxy" && len(args) == 2:
		version, err := modules.requiredVersion()
		if err != nil {
			return err
		}
		if err := modules.writeProxy(args[1], version); err != nil {
			return err
		}
		_, err = fmt.Fprintln(out, version)
		return err
	case args[0] == "version" && len(args) == 2:
		return modules.setVersion(args[1])
	case args[0] == "published" && len(args) == 1:
		for _, m := range modules.published() {
			if _, err := fmt.Fprintln(out, m.folder); err != nil {
				return err
			}
		}
		return nil
	}
	return fmt.Errorf("%q is no command, or has the wrong number of arguments", args[0])
}
