// The program archiver stores what it reads as the archive of a backup, the way the
// product stores what a host's tar sends: compressed, encrypted, hashed, made
// durable, read back, with a manifest last. It is a process of its own, so that its
// memory and its processor time can be told from those of the program that measures.
//
// What it must not do: anything that internal/repository does not do for the product.
package main

import (
	"context"
	"crypto/rand"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/internal/state"
)

func main() {
	url := flag.String("url", "", "`URL` of the repository")
	recipient := flag.String("recipient", "", "public `KEY` to encrypt to")
	flag.Parse()
	if err := archive(context.Background(), *url, *recipient, os.Stdin); err != nil {
		fmt.Fprintln(os.Stderr, "archiver:", err)
		os.Exit(1)
	}
}

// archive makes a backup of one archive.
func archive(ctx context.Context, url, recipient string, src io.Reader) error {
	repo, err := repository.Open(ctx, repository.Options{Name: "bench", URL: url, Cluster: "bench", Recipients: []string{recipient}})
	if err != nil {
		return err
	}
	defer repo.Close()
	now := time.Now()
	w, err := repo.Create(ctx, repository.NewID(now, rand.Reader))
	if err != nil {
		return err
	}
	if _, err = w.Put(ctx, "directory-data.tar", src, nil); err == nil {
		err = w.Commit(ctx, state.Backup{Kind: state.KindRegular, Backup: "bench", SwarmID: "none", TakenAt: now, Verified: "raft"})
	}
	if err != nil {
		return errors.Join(err, w.Abort(ctx))
	}
	return nil
}
