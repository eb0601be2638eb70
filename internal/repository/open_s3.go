package repository

import (
	"context"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	gcaws "gocloud.dev/aws"
	"gocloud.dev/blob"
	"gocloud.dev/blob/s3blob"
)

const (
	s3MaxParts = 10_000
	// maxObject is what an object may hold at S3, in the parts that are used.
	maxObject = s3MaxParts * partSize
)

// s3Parameters are those of an s3:// URL. The first ones are handed on as they
// are; the libraries know more, which here would be without a use or a danger.
var (
	s3Handed     = []string{"region", "profile", "role", "dualstack", "fips", "request_checksum_calculation", "response_checksum_validation"}
	s3Parameters = append([]string{"endpoint", "use_path_style", "accelerate", "ssetype", "kmskeyid"}, s3Handed...)
)

const s3Login = "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile (AWS_PROFILE or ?profile=…), or the machine's role"

func openS3(raw string, u *url.URL) (store, error) {
	p, err := objectPlace(raw, u, s3Parameters...)
	if err != nil {
		return nil, err
	}
	endpoint, err := p.endpoint(raw)
	if err != nil {
		return nil, err
	}
	pathStyle, err := p.yes(raw, "use_path_style", endpoint != "")
	if err != nil {
		return nil, err
	}
	accelerate, err := p.yes(raw, "accelerate", false)
	if err != nil {
		return nil, err
	}
	options, err := p.encryption(raw)
	if err != nil {
		return nil, err
	}
	if err := p.checkHanded(raw); err != nil {
		return nil, err
	}
	dial := func(ctx context.Context) (*blob.Bucket, error) {
		cfg, err := s3Config(ctx, p, endpoint)
		if err != nil {
			return nil, err
		}
		client := s3.NewFromConfig(cfg, func(o *s3.Options) {
			o.UsePathStyle, o.UseAccelerate = pathStyle, accelerate
			if endpoint != "" {
				o.BaseEndpoint = aws.String(endpoint)
			}
		})
		options.RequestChecksumCalculation = cfg.RequestChecksumCalculation
		return s3blob.OpenBucket(ctx, client, p.bucket, &options)
	}
	return &objectStore{
		service: service{url: redact(raw), bucket: "bucket " + p.bucket, login: s3Login, gentle: true},
		prefix:  p.prefix, most: maxObject, dial: dial, before: s3Listing, writing: s3Upload,
		parts: func(ctx context.Context, b *blob.Bucket, prefix string, left func(string, time.Time) bool) ([]string, error) {
			return s3Parts(ctx, b, p.bucket, prefix, left)
		},
	}, nil
}

// endpoint is an S3 server's address, if it is not Amazon's.
func (p place) endpoint(raw string) (string, error) {
	text := p.query.Get("endpoint")
	if text == "" {
		return "", nil
	}
	const remedy = "write it as endpoint=https://s3.example.com:9000"
	e, err := url.Parse(text)
	switch {
	case err != nil || (e.Scheme != "https" && e.Scheme != "http") || e.Host == "":
		return "", badURL(raw, "the endpoint is no address of a server", remedy)
	case e.User != nil || e.RawQuery != "" || e.Fragment != "":
		return "", badURL(raw, "the endpoint holds more than a server's address", remedy+"; credentials come from their usual places")
	}
	return strings.TrimSuffix(e.String(), "/"), nil
}

// encryption is what the server does with what it stores; requeen encrypts
// before.
func (p place) encryption(raw string) (s3blob.Options, error) {
	var o s3blob.Options
	if kind := p.query.Get("ssetype"); kind != "" {
		o.EncryptionType = types.ServerSideEncryption(kind)
		if !slices.Contains([]types.ServerSideEncryption{"AES256", "aws:kms", "aws:kms:dsse"}, o.EncryptionType) {
			return o, badURL(raw, "the parameter ssetype is of no known kind", "write AES256, aws:kms or aws:kms:dsse")
		}
	}
	o.KMSEncryptionID = p.query.Get("kmskeyid")
	return o, nil
}

// checkHanded finds out before anything is contacted what the library would
// only say later.
func (p place) checkHanded(raw string) error {
	for _, name := range []string{"dualstack", "fips"} {
		if _, err := p.yes(raw, name, false); err != nil {
			return err
		}
	}
	for _, name := range []string{"request_checksum_calculation", "response_checksum_validation"} {
		if v := p.query.Get(name); v != "" && v != "when_supported" && v != "when_required" {
			return badURL(raw, "the parameter "+name+" is of no known kind", "write when_supported or when_required")
		}
	}
	if role := p.query.Get("role"); role != "" && !strings.HasPrefix(role, "arn:") {
		return badURL(raw, "the role is not an ARN", "write it as arn:aws:iam::123456789012:role/name")
	}
	return nil
}

// s3Config reads the usual places. A server that is not Amazon's may know no
// region and none of the newer checksums: with an endpoint both default to what
// every server takes. What is stored is read back and compared in any case.
func s3Config(ctx context.Context, p place, endpoint string) (aws.Config, error) {
	handed := url.Values{}
	for _, name := range s3Handed {
		if p.query.Has(name) {
			handed.Set(name, p.query.Get(name))
		}
	}
	if endpoint != "" {
		for _, name := range []string{"request_checksum_calculation", "response_checksum_validation"} {
			if !handed.Has(name) {
				handed.Set(name, "when_required")
			}
		}
	}
	cfg, err := gcaws.V2ConfigFromURLParams(ctx, handed)
	if err != nil {
		return cfg, err
	}
	if cfg.Region == "" && endpoint != "" {
		cfg.Region = "us-east-1"
	}
	client, ok := cfg.HTTPClient.(*awshttp.BuildableClient) // it knows AWS_CA_BUNDLE
	if !ok {
		client = awshttp.NewBuildableClient()
	}
	// The client's own time-out would forget that a request is being sent.
	cfg.HTTPClient = client.WithTransportOptions(tune).WithReadTimeout(0)
	return cfg, nil
}
