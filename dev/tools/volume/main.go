// Command volume makes or removes the folder of one volume on a node, as the local-path provisioner asks:
// -p PATH -a create|delete; -s and -m (size and mode) are accepted and not used.
package main

import (
	"flag"
	"fmt"
	"os"
)

func main() {
	path := flag.String("p", "", "folder of the volume")
	action := flag.String("a", "", "create or delete")
	flag.String("s", "", "size, not enforced")
	flag.String("m", "", "volume mode, only Filesystem")
	flag.Parse()
	if err := act(*path, *action); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func act(path, action string) error {
	if path == "" || path == "/" {
		return fmt.Errorf("refusing the path %q", path)
	}
	switch action {
	case "create":
		if err := os.MkdirAll(path, 0o777); err != nil {
			return err
		}
		// MkdirAll obeys the umask; the pod that mounts the volume may run as any user.
		return os.Chmod(path, 0o777)
	case "delete":
		return os.RemoveAll(path)
	default:
		return fmt.Errorf("unknown action %q: want create or delete", action)
	}
}
