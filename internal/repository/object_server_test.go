package repository

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// s3Server gives a repository at an S3 server whose answers are the test's.
func s3Server(t *testing.T, answer http.HandlerFunc) *Repository {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	return s3At(t, server.URL)
}

func s3At(t *testing.T, endpoint string) *Repository {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_ACCESS_KEY_ID": "AKIAEXAMPLE", "AWS_SECRET_ACCESS_KEY": "hush", "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_PROFILE": "", "AWS_REGION": "", "AWS_CA_BUNDLE": "",
	} {
		t.Setenv(name, value)
	}
	r, err := Open(ctx, Options{Name: "offsite", URL: "s3://bucket/place?endpoint=" + endpoint, Cluster: "prod", Plaintext: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { r.Close() })
	return r
}

func refusal(status int, code string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/xml")
		w.WriteHeader(status)
		if code != "" {
			fmt.Fprintf(w, "<Error><Code>%s</Code><Message>as it is</Message></Error>", code)
		}
	}
}

// Whatever a server answers that is no listing: it is not taken for a
// repository without backups, an object that is not there, or no lock.
func TestMisleadingServers(t *testing.T) {
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		words  []string
	}{
		"nothing, and well":  {func(http.ResponseWriter, *http.Request) {}, []string{"no listing"}},
		"a page":             {func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<html><body>Log in</body></html>") }, []string{"no listing"}},
		"not found":          {refusal(404, ""), []string{"bucket bucket", "404"}},
		"no bucket":          {refusal(404, "NoSuchBucket"), []string{"there is no bucket bucket", "make it"}},
		"no key, no listing": {refusal(404, "NoSuchKey"), []string{"NoSuchKey"}},
		"wrong key":          {refusal(403, "SignatureDoesNotMatch"), []string{"the credentials were refused", "AWS_ACCESS_KEY_ID"}},
		"unknown key":        {refusal(403, "InvalidAccessKeyId"), []string{"the credentials were refused"}},
		"no right":           {refusal(403, "AccessDenied"), []string{"access was denied", "list, read, write and remove"}},
		"another region":     {refusal(301, "PermanentRedirect"), []string{"another region", "?region="}},
		"a wrong clock":      {refusal(403, "RequestTimeTooSkewed"), []string{"set this machine's clock"}},
		"no word":            {refusal(400, ""), []string{"the server answered 400"}},
		"a strange word":     {refusal(400, "Strange"), []string{"400 Strange: as it is"}},
	} {
		t.Run(name, func(t *testing.T) {
			r := s3Server(t, c.answer)
			list, err := r.List(ctx)
			if !errors.Is(err, ErrUnavailable) || len(list) > 0 {
				t.Fatalf("listed: %v, %v", list, err)
			}
			for _, words := range append(c.words, "s3://bucket/place") {
				if !strings.Contains(err.Error(), words) {
					t.Errorf("it does not say %q: %v", words, err)
				}
			}
			if strings.Contains(err.Error(), "hush") || strings.Contains(err.Error(), "operation error") {
				t.Error(err)
			}
			if lock, err := r.ReadLock(ctx); err == nil {
				t.Errorf("the lock: %v", lock)
			}
			if name == "nothing, and well" || name == "a page" {
				return // for an object, that is its content: its digest tells
			}
			if _, err := r.store.open(ctx, "prod/x"); err == nil || errors.Is(err, fs.ErrNotExist) {
				t.Errorf("opened: %v", err)
			}
			if err := r.store.remove(ctx, "prod/x"); err == nil {
				t.Error("removed")
			}
		})
	}
}

// A server that is not there, and one that says nothing, are told from one
// without backups, and soon.
func TestUnreachableServers(t *testing.T) {
	defer func(d time.Duration) { stallAfter = d }(stallAfter)
	stallAfter = 100 * time.Millisecond
	ended := make(chan struct{})
	silent := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-ended:
		case <-r.Context().Done():
		}
	}))
	defer silent.Close()
	defer close(ended)
	gone := httptest.NewServer(nil)
	gone.Close()
	for words, endpoint := range map[string]string{"the server was silent": silent.URL, "connection refused": gone.URL} {
		r := s3At(t, endpoint)
		if list, err := r.List(ctx); !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v, %v", words, list, err)
		}
	}
}

// A server that refuses conditional writes is no place for a lock, and says so
// in requeen's words.
func TestNoConditionalWrites(t *testing.T) {
	r := s3Server(t, func(w http.ResponseWriter, q *http.Request) {
		switch {
		case q.Header.Get("If-None-Match") != "":
			refusal(501, "NotImplemented")(w, q)
		case q.Method == http.MethodHead, q.URL.Query().Get("list-type") == "":
			refusal(404, "NoSuchKey")(w, q)
		default:
			fmt.Fprint(w, "<ListBucketResult><Name>bucket</Name><KeyCount>0</KeyCount></ListBucketResult>")
		}
	})
	_, err := r.Acquire(ctx, LockOptions{Run: "one"})
	if !errors.Is(err, ErrLockUntrusted) || !strings.Contains(err.Error(), "conditional") || !strings.Contains(err.Error(), "-lock=false") {
		t.Error(err)
	}
}

// The answer to a creation may be lost on the way: when the library tries again
// and is refused, the object is its own.
func TestCreateOnceWhoseAnswerWasLost(t *testing.T) {
	var stored []byte
	lost := true
	r := s3Server(t, func(w http.ResponseWriter, q *http.Request) {
		switch {
		case q.Method == http.MethodPut && stored == nil:
			stored, _ = io.ReadAll(q.Body)
			if lost {
				panic(http.ErrAbortHandler)
			}
		case q.Method == http.MethodPut:
			refusal(412, "PreconditionFailed")(w, q)
		default:
			w.Header().Set("Last-Modified", time.Now().UTC().Format(http.TimeFormat))
			_, _ = w.Write(stored)
		}
	})
	if err := r.store.createOnce(ctx, "prod/lock/000001.json", []byte("mine")); err != nil {
		t.Errorf("its own: %v", err)
	}
	if err := r.store.createOnce(ctx, "prod/lock/000001.json", []byte("other")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("another's: %v", err)
	}
}

// A connection that breaks is taken up where it was, as long as it brings
// something; an object that was replaced meanwhile is not pieced together.
func TestReadingGoesOnWhereItBroke(t *testing.T) {
	defer func(d time.Duration) { pause = d }(pause)
	pause = time.Millisecond
	data, modified := content(9, 1<<20), time.Date(2026, 3, 1, 0, 0, 0, 0, time.UTC)
	requests, broken, replaced := 0, false, false
	r := s3Server(t, func(w http.ResponseWriter, q *http.Request) {
		if requests++; requests > 1 && replaced {
			modified = modified.Add(time.Hour)
		}
		if requests > 1 && broken {
			panic(http.ErrAbortHandler)
		}
		http.ServeContent(&cut{w, 200_000}, q, "", modified, bytes.NewReader(data))
	})
	read := func() ([]byte, error) {
		requests = 0
		in, err := r.store.open(ctx, "prod/x")
		if err != nil {
			return nil, err
		}
		defer in.Close()
		return io.ReadAll(in)
	}
	if got, err := read(); err != nil || !bytes.Equal(got, data) || requests < 5 {
		t.Errorf("%d bytes in %d requests: %v", len(got), requests, err)
	}
	broken = true
	if got, err := read(); err == nil {
		t.Errorf("%d bytes of a server that has died", len(got))
	}
	broken, replaced = false, true
	if got, err := read(); err == nil || !strings.Contains(err.Error(), "replaced") {
		t.Errorf("%d bytes of two objects: %v", len(got), err)
	}
}

// cut breaks the connection after some bytes.
type cut struct {
	http.ResponseWriter
	left int
}

func (c *cut) Write(p []byte) (int, error) {
	if len(p) <= c.left {
		c.left -= len(p)
		return c.ResponseWriter.Write(p)
	}
	_, _ = c.ResponseWriter.Write(p[:c.left])
	c.ResponseWriter.(http.Flusher).Flush()
	panic(http.ErrAbortHandler)
}

// Credentials that are nowhere are said to be missing, and where to put them.
func TestNoCredentials(t *testing.T) {
	r := s3At(t, "http://127.0.0.1:1")
	t.Setenv("AWS_ACCESS_KEY_ID", "")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "")
	if _, err := r.List(ctx); err == nil || !strings.Contains(err.Error(), "no credentials were found") {
		t.Error(err)
	}
	t.Setenv("GOOGLE_APPLICATION_CREDENTIALS", "/nonexistent")
	t.Setenv("AZURE_STORAGE_ACCOUNT", "")
	for url, words := range map[string]string{
		"gs://bucket":        "GOOGLE_APPLICATION_CREDENTIALS",
		"azblob://container": "?storage_account=",
	} {
		r, err := Open(ctx, Options{URL: url, Cluster: "prod", Plaintext: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := r.List(context.Background()); !errors.Is(err, ErrUnavailable) || !strings.Contains(err.Error(), words) {
			t.Errorf("%s: %v", url, err)
		}
	}
}
