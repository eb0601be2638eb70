package main

import (
	"math"
	"slices"
)

// Spread sums values up: half of them lie between Q1 and Q3.
type Spread struct {
	N                        int
	Median, Q1, Q3, Min, Max float64
}

// spreadOf is the spread of values; of none it is all NaN.
func spreadOf(values []float64) Spread {
	v := slices.Sorted(slices.Values(values))
	s := Spread{N: len(v), Median: quantile(v, 0.5), Q1: quantile(v, 0.25), Q3: quantile(v, 0.75), Min: math.NaN(), Max: math.NaN()}
	if len(v) > 0 {
		s.Min, s.Max = v[0], v[len(v)-1]
	}
	return s
}

// quantile of sorted values, between two of them in proportion (the definition
// that R and NumPy take by default).
func quantile(sorted []float64, q float64) float64 {
	if len(sorted) == 0 {
		return math.NaN()
	}
	at := q * float64(len(sorted)-1)
	low := int(math.Floor(at))
	high := min(low+1, len(sorted)-1)
	return sorted[low] + (sorted[high]-sorted[low])*(at-float64(low))
}

// ratios are ours by the other's, round by round. Rounds stand at the same
// index in both; what has no counterpart is not compared.
func ratios(ours, other []float64) []float64 {
	list := make([]float64, min(len(ours), len(other)))
	for i := range list {
		list[i] = ours[i] / other[i]
	}
	return list
}

// rounded keeps five digits: more would be noise, and would hide the rest.
func rounded(v float64) float64 {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return v
	}
	scale := math.Pow(10, 4-math.Floor(math.Log10(math.Abs(v))))
	if scale < 1 {
		return math.Round(v) // a number of bytes stays one
	}
	return math.Round(v*scale) / scale
}
