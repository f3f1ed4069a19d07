//go:build tools

// Package tools pins what the embedded cluster is built from.
package tools

import (
	_ "sigs.k8s.io/metrics-server/cmd/metrics-server"
)
