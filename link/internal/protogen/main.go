// Command protogen compiles the .proto files of module link and runs the plugins that write their Go code. It stands in
// for protoc, so that the Go toolchain is all that a regeneration needs. link/scripts/generate runs it.
//
// It is a module of its own: its go.mod pins the compiler and the plugins, and link's go.mod stays free of them.
package main

import (
	"bytes"
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/bufbuild/protocompile"
	"github.com/bufbuild/protocompile/protoutil"
	_ "google.golang.org/genproto/googleapis/rpc/status" // registers google/rpc/status.proto, so that files can import it
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"
	"google.golang.org/protobuf/reflect/protoregistry"
	"google.golang.org/protobuf/types/pluginpb"
)

func main() {
	root := flag.String("root", ".", "folder that the .proto files and their imports are named from")
	out := flag.String("out", ".", "folder that the Go code is written to, each file under the path of its .proto file")
	plugins := flag.String("plugins", "", "executables of the plugins, separated by commas")
	flag.Parse()
	if err := generate(*root, *out, strings.Split(*plugins, ","), flag.Args()); err != nil {
		fmt.Fprintln(os.Stderr, "protogen:", err)
		os.Exit(1)
	}
}

// generate compiles the files, which are paths below root, and writes the output of each plugin below out.
func generate(root, out string, plugins, files []string) error {
	request, err := compile(root, files)
	if err != nil {
		return err
	}
	for _, plugin := range plugins {
		if err := run(plugin, request, out); err != nil {
			return fmt.Errorf("plugin %s: %w", filepath.Base(plugin), err)
		}
	}
	return nil
}

// compile returns the request that each plugin reads: the files' descriptors, after those of their imports.
func compile(root string, files []string) (*pluginpb.CodeGeneratorRequest, error) {
	compiler := protocompile.Compiler{
		Resolver: protocompile.CompositeResolver{
			&protocompile.SourceResolver{ImportPaths: []string{root}},
			protocompile.ResolverFunc(linkedIn),
		},
		SourceInfoMode: protocompile.SourceInfoStandard, // comments, which the plugins copy
	}
	compiled, err := compiler.Compile(context.Background(), files...)
	if err != nil {
		return nil, err
	}
	request := &pluginpb.CodeGeneratorRequest{FileToGenerate: files, Parameter: proto.String("paths=source_relative")}
	added := map[string]bool{}
	var add func(file protoreflect.FileDescriptor)
	add = func(file protoreflect.FileDescriptor) {
		if added[file.Path()] {
			return
		}
		added[file.Path()] = true
		for i := range file.Imports().Len() {
			add(file.Imports().Get(i).FileDescriptor)
		}
		request.ProtoFile = append(request.ProtoFile, protoutil.ProtoFromFileDescriptor(file))
	}
	for _, file := range compiled {
		add(file)
	}
	return request, nil
}

// linkedIn resolves an import from the descriptors that this program's own dependencies register.
func linkedIn(path string) (protocompile.SearchResult, error) {
	file, err := protoregistry.GlobalFiles.FindFileByPath(path)
	if err != nil {
		return protocompile.SearchResult{}, err
	}
	return protocompile.SearchResult{Desc: file}, nil
}

// run starts a plugin, hands it the request and writes the files that it answers with.
func run(plugin string, request *pluginpb.CodeGeneratorRequest, out string) error {
	input, err := proto.Marshal(request)
	if err != nil {
		return err
	}
	command := exec.Command(plugin)
	command.Stdin, command.Stderr = bytes.NewReader(input), os.Stderr
	output, err := command.Output()
	if err != nil {
		return err
	}
	var response pluginpb.CodeGeneratorResponse
	if err := proto.Unmarshal(output, &response); err != nil {
		return err
	}
	if response.Error != nil {
		return fmt.Errorf("%s", response.GetError())
	}
	for _, file := range response.GetFile() {
		path := filepath.Join(out, filepath.FromSlash(file.GetName()))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(path, []byte(file.GetContent()), 0o644); err != nil {
			return err
		}
	}
	return nil
}
