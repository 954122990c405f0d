package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"google.golang.org/protobuf/types/descriptorpb"
)

func write(t *testing.T, text string) (root string) {
	t.Helper()
	root = t.TempDir()
	if err := os.WriteFile(filepath.Join(root, "a.proto"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return root
}

func TestPluginsGetAFileAfterItsImports(t *testing.T) {
	root := write(t, `syntax = "proto3";
		import "google/rpc/status.proto";
		option go_package = "example.com/a";
		// A comment.
		message A { google.rpc.Status status = 1; }`)
	request, err := compile(root, []string{"a.proto"})
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, file := range request.GetProtoFile() {
		names = append(names, file.GetName())
	}
	if want := []string{"google/protobuf/any.proto", "google/rpc/status.proto", "a.proto"}; !slices.Equal(names, want) {
		t.Errorf("files: %q, expected %q", names, want)
	}
	if want := []string{"a.proto"}; !slices.Equal(request.GetFileToGenerate(), want) {
		t.Errorf("to generate: %q, expected %q", request.GetFileToGenerate(), want)
	}
	locations := request.GetProtoFile()[2].GetSourceCodeInfo().GetLocation()
	if !slices.ContainsFunc(locations, func(l *descriptorpb.SourceCodeInfo_Location) bool {
		return l.GetLeadingComments() == " A comment.\n"
	}) {
		t.Error("the comment is missing")
	}
}

func TestMistakesAreReported(t *testing.T) {
	for name, row := range map[string]struct{ text, err string }{
		"syntax":         {`syntax = "proto3"; message A {`, "syntax error"},
		"unknown import": {`syntax = "proto3"; import "nowhere.proto";`, "nowhere.proto"},
		"unknown type":   {`syntax = "proto3"; message A { B b = 1; }`, "unknown type B"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := compile(write(t, row.text), []string{"a.proto"}); err == nil || !strings.Contains(err.Error(), row.err) {
				t.Errorf("error: %v, expected one with %q", err, row.err)
			}
		})
	}
	if err := generate(write(t, `syntax = "proto3";`), t.TempDir(), []string{"/no/such/plugin"}, []string{"a.proto"}); err == nil ||
		!strings.Contains(err.Error(), "plugin plugin") {
		t.Errorf("error: %v, expected one that names the plugin", err)
	}
}
