package schema

import (
	"fmt"
	"maps"
	"math"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/hashicorp/hcl/v2/hclwrite"
	"github.com/zclconf/go-cty/cty"
	"pgregory.net/rapid"
)

// Load(Source(cfg)) is cfg, whatever stands in it.
func TestSourceIsReadBack(t *testing.T) {
	dir := t.TempDir()
	rapid.Check(t, func(t *rapid.T) {
		cfg := drawConfig(t)
		comments := map[string]string{"cluster " + cfg.Cluster.Name: rapid.String().Draw(t, "comment")}
		src, err := Source(cfg, SourceOptions{Header: rapid.String().Draw(t, "header"), Comments: comments})
		if err != nil {
			t.Fatal(err)
		}
		if again := hclwrite.Format(src); string(again) != string(src) {
			t.Fatalf("it is not in its canonical form:\n%s\n%s", src, again)
		}
		if err := os.WriteFile(filepath.Join(dir, "main.rq.hcl"), src, 0o600); err != nil {
			t.Fatal(err)
		}
		got, ds := Load(dir, Options{})
		if got == nil {
			t.Fatalf("it does not load: %v\n%s", ds, src)
		}
		forget(got)
		forget(cfg)
		if !reflect.DeepEqual(got, cfg) {
			t.Fatalf("it means something else:\n%+v\n%+v\n%s", got, cfg, src)
		}
	})
}

// Every good configuration survives it, too.
func TestSourceOfGood(t *testing.T) {
	names, err := filepath.Glob("testdata/good/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		ar := parseArchive(t, name)
		dir := writeFiles(t, ar.Files...)
		cfg := mustLoad(t, dir, goldenOptions(t, ar.Comment, dir))
		src, err := Source(cfg, SourceOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(src), "SWMKEY") {
			t.Errorf("%s: the unlock key is written", name)
		}
		if cfg.Cluster.UnlockKey.Set() != strings.Contains(string(src), "# unlock_key is left out") {
			t.Errorf("%s: an unlock key is left out in silence, or there is none:\n%s", name, src)
		}
		got := mustLoad(t, writeFiles(t, oneFile(string(src))), Options{})
		cfg.Cluster.UnlockKey = Secret{}
		forget(got)
		forget(cfg)
		if !reflect.DeepEqual(got, cfg) {
			t.Errorf("%s means something else:\n%+v\n%+v\n%s", name, got, cfg, src)
		}
	}
}

func TestSourceForm(t *testing.T) {
	limit, yes := int64(3), true
	cfg := &Config{
		Cluster: Cluster{Name: "prod", Autolock: &yes, UnlockKey: NewSecret("SWMKEY-1-hunter2"), Settings: Settings{TaskHistoryLimit: &limit}},
		Nodes: []Node{
			{Name: "m1", Address: "10.0.0.11", Role: RoleManager, Labels: map[string]string{"zone": "a", "x.y": "${b}"}, Connection: Connection{SSH: Target{User: "ops", Host: "m1"}, Become: "sudo"}},
			{Name: "m2", Address: "10.0.0.12", Role: RoleManager, Connection: Connection{SSH: Target{Host: "m2"}}},
		},
		Backups: []Backup{{Name: "state", Repository: "nas", MaxAge: 24 * time.Hour}},
	}
	src, err := Source(cfg, SourceOptions{Header: "Made from the swarm.\n", Comments: map[string]string{"node m1": "led\nwhen asked", "node m2": ""}})
	if err != nil {
		t.Fatal(err)
	}
	golden(t, "testdata/source.rq.hcl", string(src))
	if _, err := Source(cfg, SourceOptions{Comments: map[string]string{"node m3": "x"}}); err == nil || !strings.Contains(err.Error(), "node m3") {
		t.Errorf("a comment for no block: %v", err)
	}
	cfg.Nodes[0].Labels["bad"] = "\xff"
	if _, err := Source(cfg, SourceOptions{}); err == nil {
		t.Error("text that is not UTF-8 is written")
	}
}

func drawConfig(t *rapid.T) *Config {
	maybe := func(name string) bool { return rapid.Bool().Draw(t, name) }
	cfg := &Config{Cluster: drawCluster(t)}
	n := rapid.IntRange(1, 4).Draw(t, "nodes")
	for i := range n {
		cfg.Nodes = append(cfg.Nodes, drawNode(t, i))
	}
	if maybe("repository") {
		cfg.Repositories = []Repository{
			{Name: "a", URL: "file:///srv/a b", Plaintext: true},
			{Name: "b.c", URL: "file:///srv/%7Bb", Recipients: recipientSamples[:rapid.IntRange(1, 2).Draw(t, "recipients")], Identity: rapid.SampledFrom([]string{"", "/etc/${id}.txt"}).Draw(t, "identity")},
		}
		if maybe("signed") {
			cfg.Repositories[1].VerifyKeys = []string{"ed25519:AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="}
			cfg.Repositories[1].SignKeyFile = rapid.SampledFrom([]string{"", "/etc/${sign}.key"}).Draw(t, "sign_key")
		}
		cfg.Backups = []Backup{{Name: "state", Repository: "b.c", MaxAge: drawDuration(t, 1), From: rapid.SampledFrom([]string{FromFollower, "n0"}).Draw(t, "from"), Consistency: ConsistencyStopped, KeyEscrow: maybe("escrow")}}
		drawParts(t, cfg, &cfg.Backups[0])
	}
	if maybe("recovery") {
		cfg.Recovery = drawRecovery(t, cfg)
	}
	return cfg
}

var recipientSamples = []string{
	"age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p",
	"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f o\"p${s}",
}

func optional[T any](t *rapid.T, name string, g *rapid.Generator[T]) *T {
	if !rapid.Bool().Draw(t, name+"?") {
		return nil
	}
	v := g.Draw(t, name)
	return &v
}

func drawDuration(t *rapid.T, least time.Duration) time.Duration {
	unit := rapid.SampledFrom([]time.Duration{1, time.Millisecond, time.Second, time.Minute, time.Hour, 24 * time.Hour}).Draw(t, "unit")
	return max(least, unit*time.Duration(rapid.IntRange(1, 1000).Draw(t, "n")))
}

func drawCluster(t *rapid.T) Cluster {
	c := Cluster{
		Name: rapid.StringMatching(`[A-Za-z0-9][A-Za-z0-9._-]{0,20}`).Draw(t, "name"), ID: rapid.SampledFrom([]string{"", strings.Repeat("a1", 12) + "z"}).Draw(t, "id"),
		Autolock: optional(t, "autolock", rapid.Bool()), PruneNodes: rapid.Bool().Draw(t, "prune"),
		ListenAddr:   rapid.SampledFrom([]string{"", "0.0.0.0:2377", "eth0:1", "[::]:2377"}).Draw(t, "listen"),
		DataPathAddr: rapid.SampledFrom([]string{"", "eth0.1", "10.0.0.1", "fd00::1"}).Draw(t, "path"),
		DataPathPort: rapid.SampledFrom([]uint32{0, 1024, 49151}).Draw(t, "port"),
	}
	if rapid.Bool().Draw(t, "down?") {
		c.RemoveDownAfter = drawDuration(t, time.Minute)
	}
	c.Rebalance = rapid.SampledFrom([][]string{nil, {"web"}, {"z", "db_postgres", "a-b"}}).Draw(t, "rebalance")
	c.DefaultAddrPool = rapid.SampledFrom([][]string{nil, {"10.20.0.0/16"}, {"10.30.0.0/20", "10.20.0.0/24"}}).Draw(t, "pool")
	c.DefaultAddrPoolMaskLength = rapid.SampledFrom([]uint32{0, 24, 29}).Draw(t, "mask")
	period := rapid.Custom(func(t *rapid.T) time.Duration { return drawDuration(t, time.Hour) })
	c.Settings = Settings{
		TaskHistoryLimit: optional(t, "history", rapid.Int64Range(0, math.MaxInt32)), CertExpiry: optional(t, "expiry", period), DispatcherHeartbeat: optional(t, "beat", period),
		SnapshotInterval: optional(t, "snapshot", rapid.Uint64Range(1, math.MaxInt32)), LogEntriesForSlowFollowers: optional(t, "entries", rapid.Uint64Range(1, math.MaxInt32)),
		HeartbeatTick: optional(t, "heartbeat", rapid.IntRange(1, 5)), ElectionTick: optional(t, "election", rapid.IntRange(6, 60)),
	}
	return c
}

// drawText leans to what could be taken for a template, and is in the form into
// which HCL brings every text.
func drawText(t *rapid.T, name string) string {
	g := rapid.OneOf(rapid.String(), rapid.StringMatching(`([$%{}"\\a#/ ]|\$\{|%\{|\n|\t){0,12}`))
	return cty.NormalizeString(g.Draw(t, name))
}

func drawNode(t *rapid.T, i int) Node {
	n := Node{
		Name: fmt.Sprintf("n%d", i), Address: fmt.Sprintf("10.0.0.%d", 10+i), Role: RoleManager,
		Availability: rapid.SampledFrom([]string{"", "active", "pause", "drain"}).Draw(t, "availability"),
		Engine:       Engine{Service: rapid.SampledFrom([]string{"", "docker.service", "a@b\\x2d.service"}).Draw(t, "service"), DataRoot: rapid.SampledFrom([]string{"", "/var/${x}"}).Draw(t, "root"), DownMax: DefaultDownMax},
	}
	if i > 0 {
		n.Role = rapid.SampledFrom([]string{RoleManager, RoleWorker}).Draw(t, "role")
		n.Connection.None = rapid.Bool().Draw(t, "none")
	}
	if rapid.Bool().Draw(t, "labels") {
		n.Labels = map[string]string{}
		for range rapid.IntRange(0, 4).Draw(t, "n") {
			key, value := drawText(t, "key"), drawText(t, "value")
			value = strings.Map(func(r rune) rune {
				if r != '\n' && r != '\t' && printable(string(r)) != string(r) {
					return 'x'
				}
				return r
			}, value)
			if badLabelKey(key) == "" {
				n.Labels[key] = cty.NormalizeString(value)
			}
		}
		maps.Copy(n.Labels, map[string]string{rapid.SampledFrom([]string{"for", "null", "if", "a-b", "1"}).Draw(t, "word"): "x"})
	}
	if rapid.Bool().Draw(t, "down") {
		n.Engine.DownMax = min(drawDuration(t, MinDownMax), 24*time.Hour)
	}
	if n.Connection.None {
		return n
	}
	n.Connection.Become = rapid.SampledFrom([]string{"", "sudo"}).Draw(t, "become")
	switch way := rapid.IntRange(0, 3).Draw(t, "way"); {
	case i == 0 && way == 0:
		n.Connection.Local = true
	case way == 1:
		n.Connection.SSH = Target{User: "DOM\\ops", Host: fmt.Sprintf("fd00::%d", i+1), Port: 22}
	case way == 2:
		n.Connection.SSH = Target{Host: fmt.Sprintf("h%d", i)}
	default:
		n.Connection.SSH = Target{User: "root", Host: n.Address}
	}
	return n
}

func drawRecovery(t *rapid.T, cfg *Config) *Recovery {
	r := &Recovery{
		Allow:            rapid.SampledFrom([][]string{nil, {}, {AllowRestore}, {AllowForceNewCluster, AllowRestore, AllowStart, AllowUnlock}}).Draw(t, "allow"),
		RotateJoinTokens: optional(t, "tokens", rapid.Bool()), RotateUnlockKey: optional(t, "key", rapid.Bool()),
		UnlockKeyTo: rapid.SampledFrom([]UnlockKeyTo{{}, {File: "/srv/%{key"}, {Command: "pass insert -m \"${x}\""}}).Draw(t, "to"),
		Verify:      rapid.SampledFrom([][]string{nil, {"true"}, {strings.Repeat("x ", 60), "a\tb"}}).Draw(t, "verify"),
	}
	if len(cfg.Nodes) > 1 && rapid.Bool().Draw(t, "dead") {
		r.AssumeDead = []string{"n1"}
	}
	if r.Allow == nil || slices.Contains(r.Allow, AllowRestore) {
		r.RestoreOnto = rapid.SampledFrom([]string{"", "n0"}).Draw(t, "onto")
	}
	if a := cfg.Cluster.Autolock; a != nil && !*a {
		r.RotateUnlockKey = nil
	}
	return r
}
