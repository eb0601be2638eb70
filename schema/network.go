package schema

import (
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"

	"github.com/hashicorp/hcl/v2"
)

// What an engine has where a new swarm is given nothing else.
const (
	swarmPort        = "2377"
	engineMaskLength = 24
	maxMaskLength    = 29 // a smaller subnet holds no overlay network
	minDataPathPort  = 1024
	maxDataPathPort  = 49151
)

// enginePool is what an engine divides where no pool is given.
var enginePool = netip.MustParsePrefix("10.0.0.0/8")

// clusterPlaces are what the checks over all nodes point at.
type clusterPlaces struct{ listen, dataPath hcl.Range }

// readNetwork reads how the engines take part.
func (l *loader) readNetwork(c *content, out *Cluster) {
	if f := l.str(c, "listen_addr", scope{}); f.ok {
		addr, err := listenAddress(f.val)
		if err != nil {
			l.err(f.at, "Not an address to listen at", fmt.Sprintf("%q: %s.", f.val, err), "Write ADDRESS:PORT or INTERFACE:PORT, such as 0.0.0.0:2377 or eth0:2377.")
		}
		out.ListenAddr, l.clusterAt.listen = addr, f.at
	}
	if f := l.str(c, "data_path_addr", scope{}); f.ok {
		addr, err := addressOrInterface(f.val)
		if a, no := netip.ParseAddr(addr); err == nil && no == nil && a.IsUnspecified() {
			err = errors.New("traffic can't be sent to an unspecified address")
		}
		if err != nil {
			addr = ""
			l.err(f.at, "Not an address or interface", fmt.Sprintf("%q: %s.", f.val, err), "Write an address or the name of an interface, such as eth1.")
		}
		out.DataPathAddr, l.clusterAt.dataPath = addr, f.at
	}
	out.DataPathPort = uint32(l.whole(c, "data_path_port", minDataPathPort, maxDataPathPort).val)
	mask := l.whole(c, "default_addr_pool_mask_length", 1, maxMaskLength)
	out.DefaultAddrPoolMaskLength = uint32(mask.val)
	l.readPools(c, mask, out)
}

// listenAddress is ADDRESS:PORT or INTERFACE:PORT, with swarm's port where none
// is given.
func listenAddress(s string) (string, error) {
	host, port := s, swarmPort
	if _, err := netip.ParseAddr(s); err != nil {
		switch h, p, err := net.SplitHostPort(s); {
		case err == nil:
			host, port = h, p
		case strings.HasPrefix(s, "[") && strings.HasSuffix(s, "]"):
			host = s[1 : len(s)-1]
		}
	}
	host, err := addressOrInterface(host)
	if err != nil {
		return "", err
	}
	if n, err := strconv.ParseUint(port, 10, 16); err != nil || n == 0 || port[0] == '+' {
		return "", fmt.Errorf("%q is not a port; ports are 1 to 65535", port)
	}
	return net.JoinHostPort(host, strings.TrimLeft(port, "0")), nil
}

// interfaceName is what Linux takes for one, as far as it can be written here;
// VLANs have a dot and a number (eth0.100), and hostName keeps m1.local out.
var (
	interfaceName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9._@-]{0,14}$`)
	hostName      = regexp.MustCompile(`\.[A-Za-z]+$`)
)

func addressOrInterface(s string) (string, error) {
	a, err := netip.ParseAddr(s)
	switch {
	case err == nil && a.Zone() != "":
		return "", errors.New("it has a zone, which means nothing on another machine")
	case err == nil && a.IsMulticast():
		return "", errors.New("it is a multicast address")
	case err == nil:
		return a.Unmap().String(), nil
	case s == "":
		return "", errors.New("it names neither an address nor an interface")
	case strings.ContainsAny(s, ":/"):
		return "", errors.New("it is neither an address nor the name of an interface")
	case !interfaceName.MatchString(s), hostName.MatchString(s):
		return "", errors.New("no interface is called that, and an engine does not look up host names here")
	}
	return s, nil
}

func (l *loader) readPools(c *content, mask field[int64], out *Cluster) {
	f := l.strs(c, "default_addr_pool", scope{})
	if f.ok && len(f.val) == 0 {
		l.err(f.at, "No networks", "The list is empty: no overlay network could get a subnet.", `Write default_addr_pool = ["10.0.0.0/8"], or leave it out.`)
	}
	if !f.present && mask.ok {
		l.checkMask(mask.at, enginePool, mask)
	}
	var pools []netip.Prefix
	for i, s := range f.val {
		at := itemRange(c.attrs["default_addr_pool"].Expr, i, len(f.val))
		p, ok := l.pool(s, at)
		if !ok {
			continue
		}
		for _, q := range pools {
			if p.Overlaps(q) {
				l.err(at, "Networks that overlap", fmt.Sprintf("%s and %s have addresses in common, which two overlay networks would both get.", q, p), "Remove or correct one of them.")
			}
		}
		pools = append(pools, p)
		out.DefaultAddrPool = append(out.DefaultAddrPool, p.String())
		if mask.ok || !mask.present {
			l.checkMask(at, p, mask)
		}
	}
}

func (l *loader) pool(s string, at hcl.Range) (netip.Prefix, bool) {
	p, err := netip.ParsePrefix(strings.TrimSpace(s))
	const remedy = "Write IPv4 networks such as 10.20.0.0/16."
	switch {
	case err != nil:
		l.err(at, "Not a network", fmt.Sprintf("%q is not a network in CIDR form.", s), remedy)
	case !p.Addr().Is4():
		l.err(at, "Not an IPv4 network", fmt.Sprintf("%q: overlay networks get IPv4 subnets.", s), remedy)
	case p != p.Masked():
		l.err(at, "Address within a network", fmt.Sprintf("%q has bits set beyond its prefix length; the network is %s.", s, p.Masked()), fmt.Sprintf("Write %s.", p.Masked()))
	default:
		return p, true
	}
	return p, false
}

// checkMask tells of a pool out of which no subnet can be cut.
func (l *loader) checkMask(at hcl.Range, p netip.Prefix, mask field[int64]) {
	length, from := int64(engineMaskLength), "the engines' own, since default_addr_pool_mask_length is not given"
	if mask.ok {
		length, from = mask.val, "default_addr_pool_mask_length"
	}
	if int64(p.Bits()) > length {
		l.err(at, "Network smaller than its subnets", fmt.Sprintf("No subnet with a prefix length of %d (%s) can be cut out of %s.", length, from, p), "Give a larger network, or a larger default_addr_pool_mask_length (at most 29).")
	}
}

// checkOneMachine warns of an address that only one of the nodes can have.
func (l *loader) checkOneMachine() {
	if len(l.nodes) < 2 {
		return
	}
	host, _, _ := net.SplitHostPort(l.cfg.Cluster.ListenAddr)
	for _, x := range []struct {
		name, addr string
		at         hcl.Range
	}{{"listen_addr", host, l.clusterAt.listen}, {"data_path_addr", l.cfg.Cluster.DataPathAddr, l.clusterAt.dataPath}} {
		if a, err := netip.ParseAddr(x.addr); err == nil && !a.IsUnspecified() {
			l.warn(x.at, "Address that only one machine has", fmt.Sprintf("%s holds for every node, and only one of the %d can have %s.", x.name, len(l.nodes), a), "Write the name of an interface, which may have an address of its own on each node.")
		}
	}
}
