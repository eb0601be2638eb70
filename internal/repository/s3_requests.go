package repository

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/s3/transfermanager"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/smithy-go/middleware"
	"gocloud.dev/blob"
)

var errNoListing = &trouble{"the server's answer is no listing", "look whether an S3 server answers at the repository's url, and no proxy or portal in between", nil}

// s3Listing looks at what a listing was decoded from: the library takes an
// answer without content for a bucket without objects (safety rule 4).
func s3Listing(as func(any) bool) error {
	var options *[]func(*s3.Options)
	if !as(&options) {
		return nil
	}
	look := middleware.InitializeMiddlewareFunc("requeen: is it a listing", func(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
		out, metadata, err := next.HandleInitialize(ctx, in)
		if listing, ok := out.Result.(*s3.ListObjectsV2Output); err == nil && (!ok || (listing.Name == nil && listing.KeyCount == nil && listing.IsTruncated == nil)) {
			err = errNoListing
		}
		return out, metadata, err
	})
	*options = append(*options, func(o *s3.Options) {
		o.APIOptions = append(o.APIOptions, func(stack *middleware.Stack) error {
			return stack.Initialize.Add(look, middleware.Before)
		})
	})
	return nil
}

// s3Upload makes the first part as large as the others. Left alone the library reads
// 16 MB before it decides for parts, into a buffer that it grows: twice as much memory
// as the whole rest of an upload takes.
func s3Upload(b *blob.Bucket) func(as func(any) bool) error {
	var client *s3.Client
	known := b.As(&client)
	return func(as func(any) bool) error {
		var uploads *transfermanager.Client
		if !known || !as(&uploads) {
			return nil
		}
		*uploads = *transfermanager.New(client, func(o *transfermanager.Options) {
			o.RequestChecksumCalculation = client.Options().RequestChecksumCalculation
			o.PartSizeBytes, o.MultipartUploadThreshold, o.Concurrency = partSize, partSize, partsAtOnce
		})
		return nil
	}
}

// s3Parts ends the uploads below prefix that are left over: their parts have no
// name and take room.
func s3Parts(ctx context.Context, b *blob.Bucket, bucket, prefix string, left func(key string, begun time.Time) bool) ([]string, error) {
	var client *s3.Client
	if !b.As(&client) {
		return nil, nil
	}
	var ended []string
	in := &s3.ListMultipartUploadsInput{Bucket: aws.String(bucket), Prefix: aws.String(prefix)}
	for pages := s3.NewListMultipartUploadsPaginator(client, in); pages.HasMorePages(); {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return ended, err
		}
		for _, u := range page.Uploads {
			if u.Key == nil || u.UploadId == nil || u.Initiated == nil || !left(*u.Key, *u.Initiated) {
				continue
			}
			_, err := client.AbortMultipartUpload(ctx, &s3.AbortMultipartUploadInput{Bucket: aws.String(bucket), Key: u.Key, UploadId: u.UploadId})
			if err != nil {
				return ended, err
			}
			ended = append(ended, *u.Key)
		}
	}
	return ended, nil
}
