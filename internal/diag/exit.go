package diag

// Exit statuses of the requeen command. ExitChanges is given by plan
// -detailed-exitcode only, ExitFormat by checks of form.
const (
	ExitOK          = 0
	ExitError       = 1
	ExitChanges     = 2
	ExitFormat      = 3
	ExitInterrupted = 130
)
