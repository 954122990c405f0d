package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// result is the outcome of a test.
type result string

const (
	noticed    result = "noticed"
	unnoticed  result = "NOT NOTICED"
	onlyHangs  result = "ONLY HANGS" // it ran into the time limit, which says nothing of the fault
	noCompile  result = "NO COMPILE" // the change is none that could happen
	noSuchTest result = "NO TEST"
)

// testLimit is the longest time for one test: more than tests wait for a process that does not end.
const testLimit = "5m"

// tree is a copy of the repository that may be broken.
type tree struct{ root string }

// copyTree copies the files that Git tracks, and new ones that it does not ignore.
func copyTree(from string) (tree, error) {
	list := exec.Command("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
	list.Dir = from
	output, err := list.Output()
	if err != nil {
		return tree{}, fmt.Errorf("could not list the files of the repository with git: %w", err)
	}
	root, err := os.MkdirTemp("", "breakit")
	if err != nil {
		return tree{}, err
	}
	for name := range strings.SplitSeq(strings.TrimSuffix(string(output), "\x00"), "\x00") {
		data, err := os.ReadFile(filepath.Join(from, name))
		if os.IsNotExist(err) {
			continue // deleted, but not yet for Git
		}
		to := filepath.Join(root, name)
		if err == nil {
			err = os.MkdirAll(filepath.Dir(to), 0o755)
		}
		if err == nil {
			err = os.WriteFile(to, data, 0o644)
		}
		if err != nil {
			_ = os.RemoveAll(root)
			return tree{}, err
		}
	}
	return tree{root}, nil
}

// checkWhole runs the tests before anything is broken: one that fails anyway would seem to notice everything.
func (t tree) checkWhole(promises []promise) error {
	type place struct{ folder, tags string }
	tests := map[place][]string{}
	for _, p := range promises {
		if err := p.check(t.root); err != nil {
			return err
		}
		at := place{p.folder, p.tags}
		tests[at] = append(tests[at], p.test)
	}
	for at, names := range tests {
		output, err := t.test(at.folder, at.tags, strings.Join(names, "|"))
		if err != nil {
			return fmt.Errorf("tests in %s fail although nothing is broken:\n%s", at.folder, output)
		}
	}
	return nil
}

// check says whether the change can be made.
func (p promise) check(root string) error {
	data, err := os.ReadFile(filepath.Join(root, p.file))
	if err != nil {
		return fmt.Errorf("%q: %w", p.text, err)
	}
	if n := strings.Count(string(data), p.from); n != 1 {
		return fmt.Errorf("%q: the text to change is in %s %d times; it must be there once: bring the table of breakit up to "+
			"date:\n%s", p.text, p.file, n, p.from)
	}
	return nil
}

// tryBroken makes the change, runs the test, and takes the change back.
func (t tree) tryBroken(p promise) (result, error) {
	name := filepath.Join(t.root, p.file)
	whole, err := os.ReadFile(name)
	if err != nil {
		return "", err
	}
	broken := strings.Replace(string(whole), p.from, p.to, 1)
	if err := os.WriteFile(name, []byte(broken), 0o644); err != nil {
		return "", err
	}
	output, err := t.test(p.folder, p.tags, p.test)
	return resultOf(output, err, p.test), os.WriteFile(name, whole, 0o644)
}

// test runs the tests of a package whose names match exactly.
func (t tree) test(folder, tags, names string) (output string, err error) {
	cmd := exec.Command("go", "test", "-count=1", "-failfast", "-timeout="+testLimit, "-tags="+tags, "-run=^("+names+")$", "-v", "./"+folder)
	cmd.Dir = t.root
	data, err := cmd.CombinedOutput()
	return string(data), err
}

// resultOf reads the output of go test.
func resultOf(output string, err error, test string) result {
	switch {
	case strings.Contains(output, "[build failed]"), strings.Contains(output, "[setup failed]"):
		return noCompile
	case strings.Contains(output, "panic: test timed out"):
		return onlyHangs
	case !strings.Contains(output, "=== RUN   "+test+"\n"):
		return noSuchTest
	case err == nil:
		return unnoticed
	}
	return noticed
}
