package main

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/requeen/requeen/internal/repository"
	"github.com/requeen/requeen/schema"
)

// The language and the repositories know URLs by themselves, since neither may
// know the other: what one takes the other does, or a plan fails only at apply.
func TestURLsAreJudgedAlike(t *testing.T) {
	for _, url := range []string{
		"file:///srv/backups", "file:///srv/backups/", "file://srv/backups", "file:srv", "file:///", "file:///srv?x=1", "file:///srv#x", "file://u:p@/srv",
		"", "/srv/backups", "ftp://b", "mem://", "https://example.com/b",
		"s3://bucket", "s3://bucket/", "s3://bucket/a/b?region=eu-west-1", "s3://bucket//a", "s3://bucket/a/../b", "s3://bucket/a b", "s3://bucket/a%20b",
		"s3://", "s3:bucket", "s3:///bucket", "s3://u@bucket", "s3://u:p@bucket", "s3://host:9000/bucket", "s3://[::1]/b", "s3://b#x", "s3://b#",
		"s3://b?endpoint=https://s3.example.com", "s3://b?endpoint=s3.example.com", "s3://b?endpoint=https://u:p@s3.example.com", "s3://b?endpoint=",
		"s3://b?use_path_style=true", "s3://b?use_path_style=1", "s3://b?fips=false&dualstack=true&accelerate=false", "s3://b?fips=no",
		"s3://b?profile=x&role=arn:aws:iam::1:role/x", "s3://b?role=x", "s3://b?ssetype=aws:kms&kmskeyid=k", "s3://b?ssetype=aws:fsx", "s3://b?ssetype=aes256",
		"s3://b?request_checksum_calculation=when_required&response_checksum_validation=when_supported", "s3://b?request_checksum_calculation=never",
		"s3://b?region=a&region=b", "s3://b?secret=x", "s3://b?access_key=x", "s3://b?prefix=x", "s3://b?anonymous=true", "s3://b?x=%zz", "s3://b?",
		"gs://bucket/a", "gs://bucket?region=a", "gs://bucket?access_id=a", "azblob://c/a?storage_account=x", "azblob://c?domain=x", "azblob://c?sas=x",
	} {
		dir := t.TempDir()
		text := fmt.Sprintf("cluster \"prod\" {}\nnode \"m1\" {\n  address = \"10.0.0.11\"\n  role = \"manager\"\n}\nrepository \"r\" {\n  url = %q\n  plaintext = true\n}\n", url)
		if err := os.WriteFile(filepath.Join(dir, "main.rq.hcl"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		cfg, found := schema.Load(dir, schema.Options{})
		if err := repository.CheckURL(url); (err == nil) != (cfg != nil && len(found) == 0) {
			t.Errorf("%q: the language says %v, the repository %v", url, found, err)
		}
	}
}
