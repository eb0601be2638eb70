package schema

import (
	"math/big"
	"net/netip"

	"github.com/zclconf/go-cty/cty"
	"github.com/zclconf/go-cty/cty/function"
	"github.com/zclconf/go-cty/cty/gocty"
)

var cidrHostFunc = function.New(&function.Spec{
	Description: "cidrhost(prefix, hostnum): an address in a network; a negative number counts from its end.",
	Params:      []function.Parameter{{Name: "prefix", Type: cty.String}, {Name: "hostnum", Type: cty.Number}},
	Type:        function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		p, err := prefixArg(args[0])
		if err != nil {
			return cty.NilVal, err
		}
		num, err := wholeArg(args[1], 1)
		if err != nil {
			return cty.NilVal, err
		}
		size := new(big.Int).Lsh(big.NewInt(1), uint(p.Addr().BitLen()-p.Bits()))
		if num.Sign() < 0 {
			num.Add(num, size)
		}
		if num.Sign() < 0 || num.Cmp(size) >= 0 {
			return cty.NilVal, function.NewArgErrorf(1, "%s has no such host: it has %s addresses", p, size)
		}
		return cty.StringVal(plus(p.Addr(), num).String()), nil
	},
})

var cidrNetmaskFunc = function.New(&function.Spec{
	Description: "cidrnetmask(prefix): the netmask of an IPv4 network.",
	Params:      []function.Parameter{{Name: "prefix", Type: cty.String}},
	Type:        function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		p, err := prefixArg(args[0])
		if err != nil {
			return cty.NilVal, err
		}
		if !p.Addr().Is4() {
			return cty.NilVal, function.NewArgErrorf(0, "IPv6 networks have no netmask")
		}
		mask := ^uint32(0) << (32 - p.Bits())
		return cty.StringVal(netip.AddrFrom4([4]byte{byte(mask >> 24), byte(mask >> 16), byte(mask >> 8), byte(mask)}).String()), nil
	},
})

var cidrSubnetFunc = function.New(&function.Spec{
	Description: "cidrsubnet(prefix, newbits, netnum): a network within a network.",
	Params:      []function.Parameter{{Name: "prefix", Type: cty.String}, {Name: "newbits", Type: cty.Number}, {Name: "netnum", Type: cty.Number}},
	Type:        function.StaticReturnType(cty.String),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		p, err := prefixArg(args[0])
		if err != nil {
			return cty.NilVal, err
		}
		var newbits int
		if err := gocty.FromCtyValue(args[1], &newbits); err != nil {
			return cty.NilVal, function.NewArgError(1, err)
		}
		total := p.Addr().BitLen()
		if newbits < 0 || newbits > total-p.Bits() {
			return cty.NilVal, function.NewArgErrorf(1, "%s can be extended by 0 to %d bits", p, total-p.Bits())
		}
		num, err := wholeArg(args[2], 2)
		if err != nil {
			return cty.NilVal, err
		}
		if num.Sign() < 0 || num.BitLen() > newbits {
			return cty.NilVal, function.NewArgErrorf(2, "%d bits can't hold %s", newbits, num)
		}
		bits := p.Bits() + newbits
		num.Lsh(num, uint(total-bits))
		return cty.StringVal(netip.PrefixFrom(plus(p.Addr(), num), bits).String()), nil
	},
})

func prefixArg(v cty.Value) (netip.Prefix, error) {
	p, err := netip.ParsePrefix(v.AsString())
	if err != nil {
		return p, function.NewArgErrorf(0, "%q is not a network such as 10.0.0.0/24", v.AsString())
	}
	return p.Masked(), nil
}

// wholeArg is a whole number of no more than 256 bits: written out, a number
// like 1e999999999 would fill the memory.
func wholeArg(v cty.Value, index int) (*big.Int, error) {
	f := v.AsBigFloat()
	if f.IsInf() || f.MantExp(nil) > 256 {
		return nil, function.NewArgErrorf(index, "the number is too large")
	}
	n, acc := f.Int(nil)
	if acc != big.Exact {
		return nil, function.NewArgErrorf(index, "a whole number is required")
	}
	return n, nil
}

// plus is the address n above a, which is known to exist.
func plus(a netip.Addr, n *big.Int) netip.Addr {
	sum := new(big.Int).SetBytes(a.AsSlice())
	out := make([]byte, a.BitLen()/8)
	sum.Add(sum, n).FillBytes(out)
	r, _ := netip.AddrFromSlice(out)
	return r
}

var cidrSubnetsFunc = function.New(&function.Spec{
	Params:   []function.Parameter{{Name: "prefix", Type: cty.String}},
	VarParam: &function.Parameter{Name: "newbits", Type: cty.Number},
	Type:     function.StaticReturnType(cty.List(cty.String)),
	Impl: func(args []cty.Value, _ cty.Type) (cty.Value, error) {
		p, err := prefixArg(args[0])
		if err != nil {
			return cty.NilVal, err
		}
		total := p.Addr().BitLen()
		end := new(big.Int).Lsh(big.NewInt(1), uint(total-p.Bits()))
		next := new(big.Int) // the first address that is not given away, counted from the network's
		var out []cty.Value
		for i, arg := range args[1:] {
			var newbits int
			if err := gocty.FromCtyValue(arg, &newbits); err != nil {
				return cty.NilVal, function.NewArgError(i+1, err)
			}
			if newbits < 1 || newbits > total-p.Bits() {
				return cty.NilVal, function.NewArgErrorf(i+1, "%s can be extended by 1 to %d bits", p, total-p.Bits())
			}
			size := new(big.Int).Lsh(big.NewInt(1), uint(total-p.Bits()-newbits))
			// A network begins at a multiple of its size.
			next.Add(next, new(big.Int).Sub(size, big.NewInt(1)))
			next.Div(next, size).Mul(next, size)
			if new(big.Int).Add(next, size).Cmp(end) > 0 {
				return cty.NilVal, function.NewArgErrorf(i+1, "%s has no room left for this network", p)
			}
			out = append(out, cty.StringVal(netip.PrefixFrom(plus(p.Addr(), next), p.Bits()+newbits).String()))
			next.Add(next, size)
		}
		if len(out) == 0 {
			return cty.ListValEmpty(cty.String), nil
		}
		return cty.ListVal(out), nil
	},
})
