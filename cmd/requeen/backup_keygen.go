package main

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/requeen/requeen/internal/diag"
	"github.com/requeen/requeen/internal/repository"
)

func newBackupKeygenCommand(a *app) *cobra.Command {
	var out string
	var asJSON bool
	cmd := &cobra.Command{
		Use:   "keygen -out FILE",
		Short: "Make a key with which backups are signed",
		Long: `Makes an ed25519 key pair: the private key is written into the file of -out, which
must be new and gets mode 0600, and the public key is printed. No configuration is
read and nothing is contacted.

The public key belongs into verify_key of the repository block, and the private
key's file into sign_key, where apply makes backups. From then on a backup without
the signature counts for nothing: whoever can write to the repository can't slip in
a swarm of his own. Backups of before count again where verify_key is left out.`,
		Example: "  requeen backup keygen -out sign.key",
		Args:    cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			if out == "" {
				return diag.Diagnostic{Severity: diag.Error, Summary: "-out is missing",
					Detail: "The private key is written into a file, and shown nowhere.", Remedy: "add -out FILE"}
			}
			public, err := writeSignKey(out)
			if err != nil {
				return err
			}
			if asJSON {
				return writeLines(a.out, struct {
					VerifyKey string `json:"verify_key"`
					SignKey   string `json:"sign_key"`
				}{public, out})
			}
			fmt.Fprintf(a.out, "The private key is in %s: keep it off the repository, and a copy of it off this machine.\nIn the repository block:\n  verify_key = [%q]\n  sign_key   = %q\n", out, public, out)
			return nil
		},
	}
	cmd.Flags().StringVar(&out, "out", "", "write the private key into the new `FILE`; needed")
	cmd.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return cmd
}

// writeSignKey makes a pair and writes the private key, where no file is yet: an
// older key may be the one that every backup is signed with.
func writeSignKey(path string) (public string, err error) {
	private, public, err := repository.NewSignKey(rand.Reader)
	if err != nil {
		return "", err
	}
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return "", diag.Diagnostic{Severity: diag.Error, Summary: "The private key can't be written",
			Detail: err.Error() + ". Nothing is written over.", Remedy: "name a new file in a directory that you can write to"}
	}
	_, err = fmt.Fprintf(file, "# requeen signs backups with it; verify_key = [%q]\n%s\n", public, private)
	return public, errors.Join(err, file.Sync(), file.Close())
}
