package repository

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"os"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob"
	"github.com/Azure/azure-sdk-for-go/sdk/storage/azblob/container"
	"gocloud.dev/blob"
	"gocloud.dev/blob/azureblob"
)

const azureLogin = "AZURE_STORAGE_KEY, AZURE_STORAGE_SAS_TOKEN or AZURE_STORAGE_CONNECTION_STRING, or az login, or the machine's managed identity"

func openAzure(raw string, u *url.URL) (store, error) {
	p, err := objectPlace(raw, u, "storage_account")
	if err != nil {
		return nil, err
	}
	s := service{url: redact(raw), bucket: "container " + p.bucket, login: azureLogin}
	dial := func(context.Context) (*blob.Bucket, error) {
		client, err := azureClient(p)
		if err != nil {
			return nil, err
		}
		return azureblob.OpenBucket(context.Background(), client, nil)
	}
	return &objectStore{service: s, prefix: p.prefix, most: azureMaxBlocks * partSize, dial: dial}, nil
}

// azureClient takes the server's address from the environment only: a URL that
// could name another server could have a token sent there.
func azureClient(p place) (*container.Client, error) {
	where := azureblob.NewDefaultServiceURLOptions()
	if account := p.query.Get("storage_account"); account != "" {
		where.AccountName = account
	}
	if where.AccountName == "" {
		return nil, &trouble{"the storage account is not known", "write it into the repository's url, ?storage_account=…, or set AZURE_STORAGE_ACCOUNT", nil}
	}
	base, err := azureblob.NewServiceURL(where)
	if err != nil {
		return nil, err
	}
	address, err := url.JoinPath(string(base), p.bucket)
	if err != nil {
		return nil, errors.New("the storage account's address can't be read")
	}
	client := azcore.ClientOptions{Transport: &http.Client{Transport: newTransport()}}
	options := &container.ClientOptions{ClientOptions: client}
	connection := os.Getenv("AZURE_STORAGE_CONNECTION_STRING")
	if connection == "" {
		connection = os.Getenv("AZURE_STORAGEBLOB_CONNECTIONSTRING")
	}
	switch key := os.Getenv("AZURE_STORAGE_KEY"); {
	case key != "":
		shared, err := azblob.NewSharedKeyCredential(where.AccountName, key)
		if err != nil {
			return nil, &trouble{"the storage account's key can't be read", "set AZURE_STORAGE_KEY as Azure shows it", nil}
		}
		return container.NewClientWithSharedKeyCredential(address, shared, options)
	case where.SASToken != "":
		return container.NewClientWithNoCredential(address, options)
	case connection != "":
		made, err := container.NewClientFromConnectionString(connection, p.bucket, options)
		if err != nil {
			return nil, &trouble{"the connection string can't be read", "set AZURE_STORAGE_CONNECTION_STRING as Azure shows it", nil}
		}
		return made, nil
	}
	found, err := azidentity.NewDefaultAzureCredential(&azidentity.DefaultAzureCredentialOptions{ClientOptions: client})
	if err != nil {
		return nil, &trouble{"no credentials were found", "set them: " + azureLogin, nil}
	}
	return container.NewClient(address, found, options)
}
