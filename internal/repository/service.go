package repository

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"syscall"

	"cloud.google.com/go/storage"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"google.golang.org/api/googleapi"
)

// service is an object storage as messages name it.
type service struct {
	url    string // without parameters
	bucket string // what holds the objects, by the service's own word: bucket "b"
	login  string // where credentials come from
	gentle bool   // an upload whose source fails leaves no object
}

// answer is what a server said, in the form of no library.
type answer struct {
	status  int
	code    string
	message string
}

func answered(err error) (a answer, ok bool) {
	var status *smithyhttp.ResponseError
	if errors.As(err, &status) {
		a.status, ok = status.HTTPStatusCode(), status.HTTPStatusCode() != 0
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		a.code, a.message, ok = api.ErrorCode(), api.ErrorMessage(), true
	}
	var azure *azcore.ResponseError
	if errors.As(err, &azure) {
		a.status, a.code, ok = azure.StatusCode, azure.ErrorCode, true
	}
	var google *googleapi.Error
	if errors.As(err, &google) {
		a.status, a.message, ok = google.Code, google.Message, true
		if len(google.Errors) > 0 {
			a.code = google.Errors[0].Reason
		}
	}
	return a, ok
}

// explain says in plain words what a library's error means, and what helps. No
// address with parameters is left in it: those may hold a key.
func (s service) explain(err error) error {
	if err == nil {
		return nil
	}
	var known *trouble
	if errors.As(err, &known) {
		return known
	}
	var ours *Error
	if errors.As(err, &ours) {
		return ours
	}
	if errors.Is(err, storage.ErrBucketNotExist) {
		return s.noBucket(err)
	}
	if a, ok := answered(err); ok {
		return s.explainAnswer(a, err)
	}
	return s.explainSilence(err)
}

func (s service) noBucket(err error) error {
	return &trouble{"there is no " + s.bucket, "make it, or correct the repository's url; requeen makes none, since where it lies is yours to decide", err}
}

func (s service) explainAnswer(a answer, err error) error {
	said := a.code
	if a.status != 0 {
		said = strings.TrimSpace(fmt.Sprintf("%d %s", a.status, a.code))
	}
	has := func(codes ...string) bool {
		for _, c := range codes {
			if a.code == c {
				return true
			}
		}
		return false
	}
	switch {
	case has("NoSuchBucket", "ContainerNotFound"):
		return s.noBucket(err)
	case has("NotFound", "notFound") || (a.status == http.StatusNotFound && a.code == ""):
		return &trouble{fmt.Sprintf("the server says that it is not there (%s): the object, or the %s", said, s.bucket), "look whether the repository's url names the right place", err}
	case has("RequestTimeTooSkewed"):
		return &trouble{"the server's clock and this machine's differ too much (" + said + ")", "set this machine's clock", err}
	case has("InvalidAccessKeyId", "SignatureDoesNotMatch", "AuthenticationFailed", "InvalidAuthenticationInfo", "ExpiredToken", "InvalidToken", "UnrecognizedClientException", "InvalidClientTokenId", "TokenRefreshRequired", "NoAuthenticationInformation", "XAdminUserNotFound") || a.status == http.StatusUnauthorized:
		return &trouble{"the credentials were refused (" + said + ")", "set valid ones: " + s.login, err}
	case has("PermanentRedirect", "AuthorizationHeaderMalformed", "IllegalLocationConstraintException", "TemporaryRedirect") || a.status == http.StatusMovedPermanently:
		return &trouble{"the " + s.bucket + " is in another region (" + said + ")", "write its region into the repository's url: ?region=…", err}
	case has("AccessDenied", "AllAccessDisabled", "AuthorizationFailure", "AuthorizationPermissionMismatch", "Forbidden", "forbidden") || a.status == http.StatusForbidden:
		return &trouble{"access was denied (" + said + ")", "give these credentials the right to list, read, write and remove objects there, or set others: " + s.login, err}
	case has("QuotaExceeded", "XMinioStorageFull", "InsufficientAccountPermissions") || a.status == http.StatusInsufficientStorage:
		return &trouble{"there is no room left (" + said + ")", "raise the quota there, then run it again; requeen never removes a good backup to make room", errors.Join(err, syscall.ENOSPC)}
	case has("SlowDown", "ServiceUnavailable", "ServerBusy", "Throttling", "ThrottlingException", "RequestLimitExceeded") || a.status == http.StatusServiceUnavailable || a.status == http.StatusTooManyRequests:
		return &trouble{"the server is too busy (" + said + ")", "run it again later", err}
	}
	text := "the server answered " + said
	if a.message != "" {
		text += ": " + strings.TrimRight(clean(a.message), ".")
	}
	return &trouble{text, "", err}
}

// explainSilence is for what is no server's answer.
func (s service) explainSilence(err error) error {
	const reach = "look whether this machine reaches the server, and whether the repository's url names the right one"
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	text := clean(err.Error())
	var silent errStalled
	var lookup *net.DNSError
	var op *net.OpError
	var address *url.Error
	switch {
	case strings.Contains(text, "Missing Region"):
		return &trouble{"its region is not known", "write it into the repository's url, ?region=eu-west-1, or set AWS_REGION", err}
	case strings.Contains(text, "get credentials"), strings.Contains(text, "could not find default credentials"),
		strings.Contains(text, "DefaultAzureCredential"), strings.Contains(text, "failed to get shared config profile"):
		return &trouble{"no credentials were found", "set them: " + s.login, err}
	case strings.Contains(text, "MaxUploadParts"):
		large := tooLarge("the archive", maxObject)
		large.err = err
		return large
	case errors.As(err, &silent):
		return &trouble{silent.Error(), "run it again when the server or the line is well", err}
	case errors.As(err, &lookup):
		return &trouble{"the server's name is not known: " + lookup.Error(), reach, err}
	case certificate(err):
		return &trouble{"the server's certificate is not accepted: " + deepest(err), "have it signed by an authority that this machine trusts, or name that authority's file in AWS_CA_BUNDLE (s3://) or SSL_CERT_FILE", err}
	case errors.As(err, &op):
		return &trouble{"the server can't be reached: " + op.Error(), reach, err}
	case errors.As(err, &address):
		return &trouble{"the server can't be reached: " + clean(address.Err.Error()), reach, err}
	}
	return &trouble{text, "", err}
}

func certificate(err error) bool {
	var unknown x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	return errors.As(err, &unknown) || errors.As(err, &name) || errors.As(err, &invalid)
}

func deepest(err error) string {
	for {
		next := errors.Unwrap(err)
		if next == nil {
			return clean(err.Error())
		}
		err = next
	}
}

// parameters are what follows a ? in an address.
var parameters = regexp.MustCompile(`\?[^\s"']*`)

// clean makes one line of bounded length of foreign words.
func clean(text string) string {
	text = strings.Join(strings.Fields(parameters.ReplaceAllString(text, "?…")), " ")
	if runes := []rune(text); len(runes) > 300 {
		text = string(runes[:300]) + "…"
	}
	return text
}

// notBuilt tells of a server that does not know what it was asked to do, as
// some know no conditional writes.
func notBuilt(err error) bool {
	a, ok := answered(err)
	return ok && (a.code == "NotImplemented" || a.status == http.StatusNotImplemented)
}

// conflicts tells of a conditional write that ran into another one, and of
// which the server does not say who won.
func conflicts(err error) bool {
	a, ok := answered(err)
	return ok && (a.code == "ConditionalRequestConflict" || a.status == http.StatusConflict)
}
