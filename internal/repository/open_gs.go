package repository

import (
	"context"
	"net/url"
	"os"

	"gocloud.dev/blob"
	"gocloud.dev/blob/gcsblob"
	"gocloud.dev/gcp"
)

const gsLogin = "GOOGLE_APPLICATION_CREDENTIALS names the key's file, or gcloud auth application-default login, or the machine's service account"

func openGS(raw string, u *url.URL) (store, error) {
	p, err := objectPlace(raw, u)
	if err != nil {
		return nil, err
	}
	// gcsblob's own opener prints what it finds wrong, and goes on without
	// credentials.
	dial := func(ctx context.Context) (*blob.Bucket, error) {
		var client *gcp.HTTPClient
		if os.Getenv("STORAGE_EMULATOR_HOST") != "" {
			client = gcp.NewAnonymousHTTPClient(newTransport())
		} else {
			found, err := gcp.DefaultCredentials(ctx)
			if err != nil {
				return nil, err
			}
			if client, err = gcp.NewHTTPClient(newTransport(), gcp.CredentialsTokenSource(found)); err != nil {
				return nil, err
			}
		}
		return gcsblob.OpenBucket(ctx, client, p.bucket, nil)
	}
	return &objectStore{
		service: service{url: redact(raw), bucket: "bucket " + p.bucket, login: gsLogin},
		prefix:  p.prefix, dial: dial,
	}, nil
}
