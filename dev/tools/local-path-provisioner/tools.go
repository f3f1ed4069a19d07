//go:build tools

// Package tools pins what the embedded cluster is built from.
package tools

import (
	_ "github.com/rancher/local-path-provisioner"
)
