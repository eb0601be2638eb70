package repository

import (
	"errors"
	"strings"
	"testing"
)

func TestCheckObjectURL(t *testing.T) {
	for _, good := range []string{
		"s3://bucket", "s3://bucket/", "s3://my-bucket/swarm/backups?region=eu-west-1", "gs://bucket/swarm", "azblob://container?storage_account=acct",
		"s3://b?endpoint=http://127.0.0.1:7070&use_path_style=false", "s3://b?endpoint=https%3A%2F%2Fminio.example.com%3A9000&profile=backup",
		"s3://b?ssetype=aws:kms&kmskeyid=abc&role=arn:aws:iam::123456789012:role/x&dualstack=true&fips=false&accelerate=true",
		"s3://b?request_checksum_calculation=when_required&response_checksum_validation=when_supported",
	} {
		if err := CheckURL(good); err != nil {
			t.Errorf("%s: %v", good, err)
		}
	}
	for bad, words := range map[string]string{
		"s3://":                                 "no bucket",
		"s3:///path":                            "no bucket",
		"s3:bucket":                             "no bucket",
		"s3://AKIA:hush@bucket":                 "user or password",
		"s3://hush@bucket":                      "user or password",
		"s3://minio:9000/bucket":                "endpoint",
		"s3://b/../c":                           "plainest",
		"s3://b/a//c":                           "plainest",
		"s3://b/a%20c":                          "plainest",
		"s3://b#x":                              "fragment",
		"s3://b?access_key=hush":                "could hold a key",
		"s3://b?secret=hush":                    "could hold a key",
		"s3://b?X-Amz-Signature=hush":           "could hold a key",
		"s3://b?aws_secret_access_key=hush":     "could hold a key",
		"azblob://c?sas_token=hush":             "could hold a key",
		"azblob://c?sig=hush":                   "could hold a key",
		"azblob://c?domain=example.com":         "not known",
		"gs://b?private_key_path=hush":          "could hold a key",
		"gs://b?region=x":                       "takes no parameters",
		"s3://b?prefix=a/":                      "write it as the path: s3://b/prefix",
		"s3://b?anonymous=true":                 "known are endpoint",
		"s3://b?region=a&region=b":              "more than once",
		"s3://b?use_path_style=yes":             "true nor false",
		"s3://b?fips=1":                         "true nor false",
		"s3://b?endpoint=minio:9000":            "no address",
		"s3://b?endpoint=https://u:hush@minio":  "more than a server's address",
		"s3://b?endpoint=https://m?token%3Dhus": "more than a server's address",
		"s3://b?ssetype=mine":                   "ssetype",
		"s3://b?role=admin":                     "ARN",
		"s3://b?request_checksum_calculation=x": "request_checksum_calculation",
		"s3://b?a=%zz":                          "can't be read",
		"ftp://b":                               "no ftp:// repositories",
	} {
		err := CheckURL(bad)
		if !errors.Is(err, ErrURL) || !strings.Contains(err.Error(), words) || strings.Contains(err.Error(), "hush") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// A service's words may hold an address with a key in it.
func TestForeignWordsHoldNoKey(t *testing.T) {
	s := service{bucket: "bucket b"}
	err := s.explain(errors.New("Get \"https://acct.blob.core.windows.net/c?sig=hush&se=2\": broken\n\n" + strings.Repeat("x", 1000)))
	if text := err.Error(); strings.Contains(text, "hush") || strings.Contains(text, "\n") || len(text) > 400 {
		t.Error(text)
	}
}
