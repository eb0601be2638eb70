package lab

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"net/netip"
	"os"
	"strconv"
	"strings"
	"syscall"
)

const (
	nsfsMagic = 0x6e736673 // of a file that is a bound namespace, see statfs(2)
	switchIf  = "host0"    // the machine's cable, inside the switch
)

// operatorIf is the one interface that the machine sees.
func operatorIf(lab string) string { return "rq-" + lab }

// operatorAddress is the machine's own address in the lab.
func (s *state) operatorAddress() string { return s.Prefix + ".1" }

// switchFile is the file that the switch's network namespace is bound to.
func (s *state) switchFile() string { return s.path("switch.netns") }

// pickPrefix chooses a /24 for a lab: the same one for the same name as long
// as nothing overlaps. 10.200 to 10.249 is far from the pool that a swarm takes
// its overlay networks from, which begins at 10.0.
func pickPrefix(name string, used []netip.Prefix) (string, error) {
	h := fnv.New32a()
	h.Write([]byte(name))
	const count = 50 * 256
	first := int(h.Sum32() % count)
	for i := range count {
		n := (first + i) % count
		p := netip.PrefixFrom(netip.AddrFrom4([4]byte{10, byte(200 + n/256), byte(n % 256), 0}), 24)
		free := true
		for _, u := range used {
			free = free && !p.Overlaps(u)
		}
		if free {
			return fmt.Sprintf("10.%d.%d", 200+n/256, n%256), nil
		}
	}
	return "", errors.New("every network from 10.200.0.0/24 to 10.249.255.0/24 overlaps with a route of this machine or with another lab; " +
		"remove a lab, or the route, and try again")
}

// usedPrefixes are the networks that the machine routes and other labs hold.
func usedPrefixes(ctx context.Context, labs []*state) ([]netip.Prefix, error) {
	out, err := run(ctx, "ip", "-4", "-json", "route", "show", "table", "all")
	if err != nil {
		return nil, fmt.Errorf("the machine's routes can't be read, and a lab must not clash with them: %w", err)
	}
	used, err := parseRoutes(out)
	for _, st := range labs {
		if p, err := netip.ParsePrefix(st.Prefix + ".0/24"); err == nil {
			used = append(used, p)
		}
	}
	return used, err
}

// parseRoutes reads `ip -json route`. A default route overlaps with nothing.
func parseRoutes(text string) ([]netip.Prefix, error) {
	var routes []struct {
		Dst string `json:"dst"`
	}
	if err := json.Unmarshal([]byte(text), &routes); err != nil {
		return nil, fmt.Errorf("the output of ip -json route is not understood: %w", err)
	}
	var found []netip.Prefix
	for _, r := range routes {
		if p, err := netip.ParsePrefix(r.Dst); err == nil && p.Bits() > 0 {
			found = append(found, p)
		} else if a, err := netip.ParseAddr(r.Dst); err == nil {
			found = append(found, netip.PrefixFrom(a, a.BitLen()))
		}
	}
	return found, nil
}

// isNamespace says whether a namespace is bound to a file.
func isNamespace(file string) bool {
	var fs syscall.Statfs_t
	return syscall.Statfs(file, &fs) == nil && fs.Type == nsfsMagic
}

// alias marks the machine's interface as this lab's.
func (s *state) alias() string { return "requeen lab " + s.Dir }

// ownsInterface says whether the machine has rq-NAME, and it is ours.
func (s *state) ownsInterface() (present, ours bool) {
	data, err := os.ReadFile("/sys/class/net/" + operatorIf(s.Name) + "/ifalias")
	return err == nil, err == nil && strings.TrimSpace(string(data)) == s.alias()
}

// makeNetwork makes what is missing of the switch and the machine's cable to it.
func (s *state) makeNetwork(ctx context.Context) error {
	file, dev := s.switchFile(), operatorIf(s.Name)
	if present, ours := s.ownsInterface(); present && !ours {
		return fmt.Errorf("the machine has an interface %s that this lab did not make; give the lab another name: -name", dev)
	}
	if !isNamespace(file) {
		if err := os.WriteFile(file, nil, 0o600); err != nil {
			return err
		}
		if _, err := run(ctx, "unshare", "--net="+file, "true"); err != nil {
			return fmt.Errorf("a network namespace for the lab's switch can't be made: %w", err)
		}
	}
	script := `
ip link set lo up
[ -e /sys/class/net/br0 ] || ip link show dev br0 >/dev/null 2>&1 || ip link add br0 type bridge
ip link set br0 up
if ! ip link show dev "$PORT" >/dev/null 2>&1; then ip link add "$PORT" type veth peer name "$DEV"; fi
ip link set "$PORT" master br0 up
if ip link show dev "$DEV" >/dev/null 2>&1; then
	ip link set dev "$DEV" alias "$ALIAS"
	ip link set dev "$DEV" netns "$OPERATOR"
fi
`
	if err := s.inSwitch(ctx, script, "PORT="+switchIf, "DEV="+dev, "ALIAS="+s.alias(), "OPERATOR="+strconv.Itoa(os.Getpid())); err != nil {
		return fmt.Errorf("the lab's switch can't be set up: %w", err)
	}
	if _, err := run(ctx, "ip", "addr", "replace", s.operatorAddress()+"/24", "dev", dev); err != nil {
		return err
	}
	_, err := run(ctx, "ip", "link", "set", "dev", dev, "up")
	return err
}

// inSwitch runs a script of `ip` commands in the switch's network namespace.
func (s *state) inSwitch(ctx context.Context, script string, env ...string) error {
	args := append([]string{"--net=" + s.switchFile(), "env"}, env...)
	_, err := run(ctx, "nsenter", append(args, "sh", "-ec", script)...)
	return err
}

// removeNetwork takes the machine's cable and the switch away.
func (s *state) removeNetwork(ctx context.Context) error {
	if _, ours := s.ownsInterface(); ours {
		if _, err := run(ctx, "ip", "link", "del", "dev", operatorIf(s.Name)); err != nil {
			return err
		}
	}
	for isNamespace(s.switchFile()) { // once for each time that it was bound
		if err := syscall.Unmount(s.switchFile(), 0); err != nil {
			return fmt.Errorf("unmounting %s: %w", s.switchFile(), err)
		}
	}
	return nil
}

// mac is fixed for an address, so that a node that boots again is known to
// its neighbours at once.
func mac(address string) string {
	b := netip.MustParseAddr(address).As4()
	return fmt.Sprintf("02:52:%02x:%02x:%02x:%02x", b[0], b[1], b[2], b[3])
}
