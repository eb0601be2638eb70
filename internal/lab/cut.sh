# Drops what comes from or goes to the addresses in CUT_FROM, in a table and a
# chain that the engine leaves alone. Empty: takes the chain away.
for hook in PREROUTING OUTPUT; do
	while iptables -w -t raw -D "$hook" -j REQUEEN-LAB 2>/dev/null; do :; done
done
iptables -w -t raw -F REQUEEN-LAB 2>/dev/null || true
iptables -w -t raw -X REQUEEN-LAB 2>/dev/null || true
[ -n "$CUT_FROM" ] || exit 0
iptables -w -t raw -N REQUEEN-LAB
for address in $CUT_FROM; do
	iptables -w -t raw -A REQUEEN-LAB -s "$address" -j DROP
	iptables -w -t raw -A REQUEEN-LAB -d "$address" -j DROP
done
for hook in PREROUTING OUTPUT; do
	iptables -w -t raw -I "$hook" -j REQUEEN-LAB
done
