package main

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"

	"github.com/requeen/requeen/internal/lab"
)

const (
	manyServices = 2000
	manySecrets  = 500
	makers       = 16 // requests at once
)

// fill makes the swarm a large one: services without tasks, with the labels and
// the environment that services have, and secrets of the size of a key and its
// certificate. What is there already is left.
func (s *swarm) fill(ctx context.Context, services, secrets int) error {
	leader, err := s.leader(ctx)
	if err != nil {
		return err
	}
	s.say("making %d services and %d secrets on %s", services, secrets, leader)
	todo := make(chan func() error)
	var wg sync.WaitGroup
	var failed atomic.Pointer[error]
	for range makers {
		wg.Go(func() {
			for make := range todo {
				if err := make(); err != nil {
					failed.CompareAndSwap(nil, &err)
				}
			}
		})
	}
	for i := range services + secrets {
		if failed.Load() != nil || ctx.Err() != nil {
			break
		}
		if (i+1)%500 == 0 {
			s.say("  %d", i+1)
		}
		todo <- func() error {
			if i < secrets {
				return s.create(ctx, leader, "/secrets/create", secretSpec(i))
			}
			return s.create(ctx, leader, "/services/create", serviceSpec(i-secrets))
		}
	}
	close(todo)
	wg.Wait()
	if err := failed.Load(); err != nil {
		return *err
	}
	return ctx.Err()
}

func (s *swarm) create(ctx context.Context, node, path string, spec any) error {
	err := s.call(ctx, node, http.MethodPost, path, spec, nil)
	var r *refusal
	if errors.As(err, &r) && (r.status == http.StatusConflict || strings.Contains(r.said, "AlreadyExists")) {
		return nil
	}
	return err
}

func secretSpec(i int) map[string]any {
	data := strings.Repeat(fmt.Sprintf("line of secret %d, which is none\n", i), 120) // 4 KB
	return map[string]any{"Name": fmt.Sprintf("bench-%d", i), "Data": base64.StdEncoding.EncodeToString([]byte(data))}
}

func serviceSpec(i int) map[string]any {
	env := []string{}
	labels := map[string]string{}
	for k := range 10 {
		env = append(env, fmt.Sprintf("SETTING_%d=value %d of service %d", k, k, i))
		labels[fmt.Sprintf("com.example.label-%d", k)] = fmt.Sprintf("label %d of service %d", k, i)
	}
	return map[string]any{
		"Name": fmt.Sprintf("bench-%d", i), "Labels": labels,
		"Mode":         map[string]any{"Replicated": map[string]any{"Replicas": 0}},
		"TaskTemplate": map[string]any{"ContainerSpec": map[string]any{"Image": lab.Image, "Env": env, "Labels": labels}},
	}
}
