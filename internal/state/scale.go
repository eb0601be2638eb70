package state

import "strconv"

// ScaleLabel is the label on a service that requeen has scaled to 0, or a global one
// that it keeps from every node: its value is the number of replicas that the service
// is to have, or ScaleGlobal. It is set in the very update that takes the tasks away,
// and removed in the one that lets them come back, so that a run that is cut anywhere
// leaves the record in the swarm.
const ScaleLabel = "io.requeen.scale"

// ScaleGlobal is the value of ScaleLabel on a global service.
const ScaleGlobal = "global"

// ScaleConstraint is the placement constraint that keeps a global service from every
// node: no node has such an ID. It is there as long as ScaleLabel is.
const ScaleConstraint = "node.id==io.requeen.quiesced"

// ScaleValue is the value of ScaleLabel for a replicated service.
func ScaleValue(replicas uint64) string { return strconv.FormatUint(replicas, 10) }

// ParseScale reads a value of ScaleLabel; ok is false where it is none.
func ParseScale(value string) (replicas uint64, global, ok bool) {
	if value == ScaleGlobal {
		return 0, true, true
	}
	n, err := strconv.ParseUint(value, 10, 64)
	return n, false, err == nil
}
