//go:build lab

package objectstore

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"

	"github.com/requeen/requeen/internal/lab"
)

// The servers that stand in for Google's and Azure's: real ones can't be had here. They
// take minutes to build or fetch, so the tests at them are part of make torture alone.
const (
	googleServer = "github.com/fsouza/fake-gcs-server@v1.56.1"
	azureServer  = "azurite@3.35.0"
)

func torture() bool { return os.Getenv("RQ_TORTURE") != "" }

// TestGoogle runs the contract of stores at Google Cloud Storage's interface.
func TestGoogle(t *testing.T) {
	if !torture() {
		return
	}
	dir, address := t.TempDir(), freeAddress(t)
	install := exec.Command("go", "install", googleServer)
	install.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=")
	if out, err := install.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	host, port, _ := strings.Cut(address, ":")
	serve(t, "http://"+address+"/storage/v1/b", filepath.Join(dir, "fake-gcs-server"), "-scheme", "http", "-host", host, "-port", port, "-backend", "memory", "-public-host", address)
	bucket, _ := json.Marshal(map[string]string{"name": bucketName})
	r, err := http.Post("http://"+address+"/storage/v1/b?project=p", "application/json", bytes.NewReader(bucket))
	if err != nil || r.StatusCode != http.StatusOK {
		t.Fatal(r, err)
	}
	r.Body.Close()
	contract(t, "gs://"+bucketName+"?", "STORAGE_EMULATOR_HOST="+address)
}

// TestAzure runs it at Azure Blob Storage's interface.
func TestAzure(t *testing.T) {
	if !torture() {
		return
	}
	if err := lab.Install(t.Context(), map[string]string{"npm": "npm", "node": "nodejs"}, func(text string) { t.Log(text) }); err != nil {
		t.Fatal(err)
	}
	dir, address := t.TempDir(), freeAddress(t)
	if out, err := exec.Command("npm", "install", "--prefix", dir, "--no-audit", "--no-fund", azureServer).CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	key := base64.StdEncoding.EncodeToString([]byte(secretKey))
	t.Setenv("AZURITE_ACCOUNTS", accessKey+":"+key)
	host, port, _ := strings.Cut(address, ":")
	serve(t, "http://"+address+"/", filepath.Join(dir, "node_modules", ".bin", "azurite-blob"), "--silent", "--disableTelemetry", "--blobHost", host, "--blobPort", port, "--skipApiVersionCheck", "--inMemoryPersistence")
	connection := "DefaultEndpointsProtocol=http;AccountName=" + accessKey + ";AccountKey=" + key + ";BlobEndpoint=http://" + address + "/" + accessKey + ";"
	c, err := container.NewClientFromConnectionString(connection, bucketName, nil)
	if err == nil {
		_, err = c.Create(t.Context(), nil)
	}
	if err != nil {
		t.Fatal(err)
	}
	contract(t, "azblob://"+bucketName+"?", "AZURE_STORAGE_CONNECTION_STRING="+connection, "AZURE_STORAGE_ACCOUNT="+accessKey)
}

// serve runs a server until the test ends, and waits until it answers.
func serve(t *testing.T, url, program string, args ...string) {
	t.Helper()
	var said bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Stdout, cmd.Stderr = &said, &said
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(50 * time.Millisecond) {
		if r, err := http.Get(url); err == nil {
			r.Body.Close()
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the server does not answer")
		}
	}
}
