//go:build tools

// Package tools pins what the embedded cluster is built from.
package tools

import (
	_ "go.etcd.io/etcd/server/v3"
	_ "go.etcd.io/etcd/etcdctl/v3"
)
