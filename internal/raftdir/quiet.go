package raftdir

import (
	"context"
	"io"

	"github.com/moby/swarmkit/v2/log"
	"github.com/sirupsen/logrus"
)

// quiet gives swarmkit a logger that drops everything: its loader logs through
// the context. etcd's packages take their logger as an argument and get
// zap.NewNop or nil, which they turn into the same.
func quiet(ctx context.Context) context.Context {
	l := logrus.New()
	l.SetOutput(io.Discard)
	l.ExitFunc = func(int) {}
	return log.WithLogger(ctx, logrus.NewEntry(l))
}
