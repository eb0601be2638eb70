package schema

//go:generate go test -run TestReferenceIsCurrent -update .
