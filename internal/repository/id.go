package repository

import (
	"encoding/hex"
	"fmt"
	"io"
	"regexp"
	"time"
)

const idTime = "20060102T150405Z"

var idForm = regexp.MustCompile(`^[0-9]{8}T[0-9]{6}Z-[0-9a-f]{6}$`)

// NewID makes a backup's ID of its time and three random bytes. It panics when
// random gives none: an ID that could be another backup's must never be used.
func NewID(t time.Time, random io.Reader) string {
	var b [3]byte
	if _, err := io.ReadFull(random, b[:]); err != nil {
		panic("repository.NewID: no random bytes: " + err.Error())
	}
	return t.UTC().Format(idTime) + "-" + hex.EncodeToString(b[:])
}

// ParseID tells the time in a backup's ID.
func ParseID(id string) (time.Time, error) {
	if idForm.MatchString(id) {
		if t, err := time.Parse(idTime, id[:len(idTime)]); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a backup's ID: it must look like 20260131T235959Z-0a1b2c", id)
}
