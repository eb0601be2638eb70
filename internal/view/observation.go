package view

import (
	"fmt"
	"time"
)

// Observation is the file that a plan is made from instead of a look.
type Observation struct {
	File string
	At   time.Time // of the look
	Now  time.Time // when it is planned from
}

// Line is the observation for a program.
func (o Observation) Line() ObservationLine {
	return ObservationLine{line(LineObservation, o.Now), o.File, o.At.UTC(), int64(o.Now.Sub(o.At) / time.Second)}
}

// Observation says from what a plan is made and how old that is.
func (s Screen) Observation(o Observation) {
	age := "is " + Age(o.Now, o.At) + " old"
	if o.At.After(o.Now) {
		age = "is dated in the future: the clocks here and there differ"
	}
	s.labelled("", "Observation:", fmt.Sprintf("%s, of %s, %s. Nothing was contacted; apply compares a plan of it with the hosts before it changes anything.", o.File, stamp(o.At), age))
}
