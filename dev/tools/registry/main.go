// The registry of the embedded cluster: only what it uses is linked, because everything here is built on the user's
// machine. Images lie in a folder; there is no cloud storage and no log-in.
package main

import (
	"os"

	"github.com/distribution/distribution/v3/registry"
	_ "github.com/distribution/distribution/v3/registry/storage/driver/filesystem"
)

func main() {
	if err := registry.RootCmd.Execute(); err != nil {
		os.Exit(1)
	}
}
