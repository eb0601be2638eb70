package schema

import (
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/hashicorp/hcl/v2/hclwrite"
)

// SourceOptions are what stands in a configuration's text besides its meaning.
type SourceOptions struct {
	Header string // comment lines at the top, without their #
	// Comments are comment lines above blocks, without their #, by the block's
	// type and label: "cluster prod", "node m1", "recovery".
	Comments map[string]string
}

// Source writes a configuration as formatted HCL that Load reads back as the
// same Config, apart from what rests on places. Only what is set is written,
// and no secret: in the place of an unlock key stands a comment. Every value is
// a literal; variables, locals and for_each are not made up.
//
// It fails on text that HCL can't hold (not UTF-8) and on a comment for a block
// that isn't there; whether the values are valid is Load's to say.
func Source(cfg *Config, o SourceOptions) ([]byte, error) {
	w := &sourceWriter{comments: o.Comments, used: map[string]bool{}}
	w.comment("", o.Header)
	w.cluster(&cfg.Cluster)
	for i := range cfg.Nodes {
		w.node(&cfg.Nodes[i])
	}
	for i := range cfg.Repositories {
		w.repository(&cfg.Repositories[i])
	}
	for i := range cfg.Backups {
		w.backup(&cfg.Backups[i])
	}
	if cfg.Recovery != nil {
		w.recovery(cfg.Recovery)
	}
	for _, key := range keysOf(o.Comments) {
		if !w.used[key] {
			return nil, fmt.Errorf("there is no block %q to write a comment above", key)
		}
	}
	if w.err != nil {
		return nil, w.err
	}
	return hclwrite.Format([]byte(w.b.String())), nil
}

// sourceWriter writes lines; hclwrite.Format aligns and indents them.
type sourceWriter struct {
	b        strings.Builder
	comments map[string]string
	used     map[string]bool
	err      error
}

func (w *sourceWriter) cluster(c *Cluster) {
	w.begin("cluster", c.Name)
	w.text("id", c.ID)
	w.boolean("autolock", c.Autolock)
	if c.UnlockKey.Set() {
		w.comment("", "unlock_key is left out, because it is a secret. Where no live manager can tell it:\nunlock_key = env(\"UNLOCK_KEY\")")
	}
	if c.PruneNodes {
		w.line("prune_nodes", "true")
	}
	w.duration("remove_down_after", c.RemoveDownAfter)
	w.texts("rebalance", c.Rebalance)
	w.text("listen_addr", c.ListenAddr)
	w.text("data_path_addr", c.DataPathAddr)
	w.number("data_path_port", int64(c.DataPathPort))
	w.texts("default_addr_pool", c.DefaultAddrPool)
	w.number("default_addr_pool_mask_length", int64(c.DefaultAddrPoolMaskLength))
	w.nested("settings", w.settings(&c.Settings))
	w.end()
}

func (w *sourceWriter) settings(s *Settings) *sourceWriter {
	in := &sourceWriter{}
	if s.TaskHistoryLimit != nil {
		in.line("task_history_limit", strconv.FormatInt(*s.TaskHistoryLimit, 10))
	}
	if s.CertExpiry != nil {
		in.duration("cert_expiry", *s.CertExpiry)
	}
	if s.SnapshotInterval != nil {
		in.line("snapshot_interval", strconv.FormatUint(*s.SnapshotInterval, 10))
	}
	if s.LogEntriesForSlowFollowers != nil {
		in.line("log_entries_for_slow_followers", strconv.FormatUint(*s.LogEntriesForSlowFollowers, 10))
	}
	if s.HeartbeatTick != nil {
		in.line("heartbeat_tick", strconv.Itoa(*s.HeartbeatTick))
	}
	if s.ElectionTick != nil {
		in.line("election_tick", strconv.Itoa(*s.ElectionTick))
	}
	if s.DispatcherHeartbeat != nil {
		in.duration("dispatcher_heartbeat", *s.DispatcherHeartbeat)
	}
	return in
}

func (w *sourceWriter) node(n *Node) {
	w.begin("node", n.Name)
	w.text("address", n.Address)
	w.text("role", n.Role)
	w.text("availability", n.Availability)
	w.labels(n.Labels)
	conn := &sourceWriter{}
	switch c := &n.Connection; {
	case c.None:
		conn.line("none", "true")
	case c.Local:
		conn.line("local", "true")
	case c.SSH != Target{} && c.SSH != Target{User: "root", Host: n.Address}:
		conn.text("ssh", c.SSH.String())
	}
	conn.text("become", n.Connection.Become)
	w.nested("connection", conn)
	engine := &sourceWriter{}
	engine.text("service", n.Engine.Service)
	engine.text("data_root", n.Engine.DataRoot)
	if n.Engine.DownMax != DefaultDownMax {
		engine.duration("down_max", n.Engine.DownMax)
	}
	w.nested("engine", engine)
	w.end()
}

func (w *sourceWriter) repository(r *Repository) {
	w.begin("repository", r.Name)
	w.text("url", r.URL)
	w.texts("recipients", r.Recipients)
	if r.Plaintext {
		w.line("plaintext", "true")
	}
	w.text("identity", r.Identity)
	w.signing(r)
	w.end()
}

func (w *sourceWriter) backup(b *Backup) {
	w.begin("backup", b.Name)
	if len(b.Copies) > 0 {
		w.texts("copies", b.Copies)
	} else {
		w.text("repository", b.Repository)
	}
	w.duration("max_age", b.MaxAge)
	if b.KeyEscrow {
		w.line("unlock_key_escrow", "true")
	}
	swarm := &sourceWriter{}
	swarm.text("from", b.From)
	if b.From == "" {
		swarm.text("from", FromFollower)
	}
	if b.Consistency != ConsistencyStopped {
		swarm.text("consistency", b.Consistency)
	}
	w.nested("swarm", swarm)
	w.data(b.Data)
	if b.Keep != nil {
		w.nested("keep", keepSource(b.Keep))
	}
	w.schedule(b.Schedule)
	w.texts("on_success", b.OnSuccess)
	w.texts("on_failure", b.OnFailure)
	w.end()
}

func keepSource(k *Keep) *sourceWriter {
	in := &sourceWriter{}
	for _, rule := range []struct {
		name  string
		count int
	}{{"last", k.Last}, {"hourly", k.Hourly}, {"daily", k.Daily}, {"weekly", k.Weekly}, {"monthly", k.Monthly}, {"yearly", k.Yearly}} {
		if rule.count != 0 {
			in.line(rule.name, strconv.Itoa(rule.count))
		}
	}
	if k.Within != 0 {
		in.duration("within", k.Within)
	}
	if k.TimeZone != DefaultTimeZone {
		in.text("time_zone", k.TimeZone)
	}
	return in
}

func (w *sourceWriter) recovery(r *Recovery) {
	w.begin("recovery", "")
	if r.Allow != nil && len(r.Allow) == 0 {
		w.line("allow", "[]")
	}
	w.texts("allow", r.Allow)
	w.texts("assume_dead", r.AssumeDead)
	w.text("restore_onto", r.RestoreOnto)
	w.boolean("rotate_join_tokens", r.RotateJoinTokens)
	w.boolean("rotate_unlock_key", r.RotateUnlockKey)
	w.texts("verify", r.Verify)
	to := &sourceWriter{}
	to.text("file", r.UnlockKeyTo.File)
	to.text("command", r.UnlockKeyTo.Command)
	w.nested("unlock_key_to", to)
	w.end()
}

// begin opens a block, below its comment and a line that parts it from what is
// before.
func (w *sourceWriter) begin(kind, name string) {
	key, head := kind, kind
	if name != "" {
		key, head = kind+" "+name, kind+" "+w.quote(name)
	}
	if w.b.Len() > 0 {
		w.b.WriteString("\n")
	}
	w.comment(key, w.comments[key])
	w.b.WriteString(head + " {\n")
}

func (w *sourceWriter) end() { w.b.WriteString("}\n") }

// nested writes a block with what was written to in, on one line where that is
// one attribute, and nothing where it is nothing.
func (w *sourceWriter) nested(kind string, in *sourceWriter) {
	if in.err != nil {
		w.err = in.err
	}
	body := strings.TrimSuffix(in.b.String(), "\n")
	switch {
	case body == "":
	case !strings.Contains(body, "\n"):
		w.b.WriteString(kind + " { " + body + " }\n")
	default:
		w.b.WriteString(kind + " {\n" + body + "\n}\n")
	}
}

// comment writes a text as comment lines, and notes that key's is written.
func (w *sourceWriter) comment(key, text string) {
	if key != "" {
		w.used[key] = true
	}
	text = strings.TrimRight(text, "\r\n")
	if text == "" {
		return
	}
	for line := range strings.SplitSeq(text, "\n") {
		w.b.WriteString(strings.TrimRight("# "+printable(strings.TrimRight(line, "\r")), " ") + "\n")
	}
}

func (w *sourceWriter) line(name, expr string) { w.b.WriteString(name + " = " + expr + "\n") }

func (w *sourceWriter) text(name, value string) {
	if value != "" {
		w.line(name, w.quote(value))
	}
}

func (w *sourceWriter) boolean(name string, value *bool) {
	if value != nil {
		w.line(name, strconv.FormatBool(*value))
	}
}

func (w *sourceWriter) number(name string, value int64) {
	if value != 0 {
		w.line(name, strconv.FormatInt(value, 10))
	}
}

func (w *sourceWriter) duration(name string, d time.Duration) {
	if d != 0 {
		w.text(name, FormatDuration(d))
	}
}

// sourceWidth is the longest list or map that stands on one line.
const sourceWidth = 80

func (w *sourceWriter) texts(name string, values []string) {
	if len(values) == 0 {
		return
	}
	items := make([]string, len(values))
	for i, v := range values {
		items[i] = w.quote(v)
	}
	if one := strings.Join(items, ", "); len(one) <= sourceWidth {
		w.line(name, "["+one+"]")
		return
	}
	w.line(name, "[\n"+strings.Join(items, ",\n")+",\n]")
}

// plainKey is what a map's key looks like without quotes, the words with a
// meaning of their own left out.
var (
	plainKey = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)
	keywords = []string{"for", "if", "in", "null", "true", "false"}
)

func (w *sourceWriter) labels(labels map[string]string) {
	if labels == nil {
		return
	}
	var items []string
	for _, key := range keysOf(labels) {
		name := key
		if !plainKey.MatchString(key) || slices.Contains(keywords, key) {
			name = w.quote(key)
		}
		items = append(items, name+" = "+w.quote(labels[key]))
	}
	switch one := strings.Join(items, ", "); {
	case len(items) == 0:
		w.line("labels", "{}")
	case len(one) <= sourceWidth:
		w.line("labels", "{ "+one+" }")
	default:
		w.line("labels", "{\n"+strings.Join(items, "\n")+"\n}")
	}
}

// quote writes a text as a quoted literal: what would end it, begin a template
// or act on a terminal is escaped.
func (w *sourceWriter) quote(s string) string {
	if !utf8.ValidString(s) {
		w.err = fmt.Errorf("%q is not UTF-8 text and can't be written", s)
	}
	var b strings.Builder
	b.WriteByte('"')
	for i, r := range s {
		switch {
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case r == '$' || r == '%':
			b.WriteString(dollar(s, i, r))
		case unicode.IsPrint(r):
			b.WriteRune(r)
		case r > 0xffff:
			fmt.Fprintf(&b, `\U%08x`, r)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// dollar writes a $ or % so that it begins no template. Before a brace it is
// doubled; where another one is before that, HCL reads the three in a way of its
// own, so that it is written as its number.
func dollar(s string, i int, r rune) string {
	if !strings.HasPrefix(s[i+1:], "{") {
		return string(r)
	}
	if i > 0 && s[i-1] == byte(r) {
		return fmt.Sprintf(`\u%04x`, r)
	}
	return string(r) + string(r)
}
