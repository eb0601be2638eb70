package apply

// WithFault lets a test cut or break journal writes.
func WithFault(q Request, f func(stage, recordType string) error) Request {
	q.fault = f
	return q
}
