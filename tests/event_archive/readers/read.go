package main

import (
	"compress/gzip"
	"io"
	"os"
)

func main() {
	in, err := os.Open(os.Args[1])
	if err != nil {
		panic(err)
	}
	read, err := gzip.NewReader(in)
	if err != nil {
		panic(err)
	}
	if _, err := io.Copy(os.Stdout, read); err != nil {
		panic(err)
	}
}
