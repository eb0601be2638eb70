package lab

import (
	"context"
	"slices"
	"strings"
)

// cutAddresses are a node's cuts as the boot script takes them: whether its
// cable is out, and the addresses that it does not hear.
func (s *state) cutAddresses(n Node) (all, from string) {
	all = "0"
	if slices.Contains(n.Cut, CutAll) {
		all = "1"
	}
	var addresses []string
	for _, c := range n.Cut {
		if c == CutOperator {
			addresses = append(addresses, s.operatorAddress())
		} else if other := s.find(c); other != nil {
			addresses = append(addresses, other.Address)
		}
	}
	return all, strings.Join(addresses, " ")
}

// applyCut makes the cuts of a node that runs what its record says.
func (s *state) applyCut(ctx context.Context, n Node) error {
	all, from := s.cutAddresses(n)
	cable := "up"
	if all == "1" {
		cable = "down"
	}
	if err := s.inSwitch(ctx, `ip link set dev "$NODE" `+cable, "NODE="+n.Name); err != nil {
		return err
	}
	_, err := s.exec(ctx, n.Name, "CUT_FROM='"+from+"'\n"+cutScript)
	return err
}
