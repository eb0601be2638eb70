// Package objectstore holds the tests of repositories at a real S3 server:
// versitygw, which serves a directory, fetched and built by the go command. The
// server is killed, silenced, slowed down and made to ignore conditional writes
// by a proxy in front of it; nothing of what requeen works on is faked.
//
// But for the tests of what somebody forges there, it must not know how a repository
// is laid out: that is the contract suite of internal/repository, which is run here
// against the same server. Its tests carry the build tag lab, need the Go module proxy
// once, no root and no engine.
package objectstore

// Gateway is the S3 server's program and version, as the go command takes it. It serves
// a directory and keeps its metadata beside it.
const Gateway = "github.com/versity/versitygw/cmd/versitygw@v1.8.0"
