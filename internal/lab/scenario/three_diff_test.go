//go:build lab

package scenario

import (
	"encoding/json"
	"fmt"
	"strings"
)

// differs compares a backup with the swarm: directly after it was made nothing differs,
// and later each change is named, by a plan that restores too.
func (k *kept) differs() {
	if r := k.does("backup", "diff", "latest", "live"); !strings.Contains(r.stdout, "Nothing of what was asked for differs") {
		k.t.Errorf("after a backup something differs:\n%s", r.stdout)
	}
	k.on("m1", `docker service update -q --detach --env-add REVISION=2 --replicas 2 --label-add tier=front web >/dev/null
		printf new | docker secret create fresh-secret - >/dev/null
		printf new | docker config create fresh-conf - >/dev/null
		docker node update --label-add disk=fast w1 >/dev/null
		docker network rm old-net >/dev/null`)
	have := k.changesTo("live")
	want := []string{"config fresh-conf added", "network old-net removed", "node w1 changed labels.disk", "secret fresh-secret added",
		"service web changed env.REVISION", "service web changed labels.tier", "service web changed replicas"}
	if strings.Join(have, "\n") != strings.Join(want, "\n") {
		k.t.Errorf("what differs is\n%s\nwant\n%s", strings.Join(have, "\n"), strings.Join(want, "\n"))
	}
	r := k.run("plan", "-restore=latest")
	text := strings.Join(strings.Fields(r.stdout), " ")
	for _, words := range []string{"config fresh-conf removed", "network old-net added", "node w1 changed", "labels.disk", "secret fresh-secret removed",
		"service web changed", "replicas: 2 -> 3"} {
		if !strings.Contains(text, words) {
			k.t.Errorf("the plan that restores does not say %q", words)
		}
	}
}

// changesTo are what differs between the newest backup and something, one line a field.
func (k *kept) changesTo(second string) (lines []string) {
	k.t.Helper()
	var d struct {
		Objects []struct {
			Kind, Name, Change string
			Fields             []struct{ Path string }
		}
	}
	must(k.t, json.Unmarshal([]byte(k.does("backup", "diff", "-json", "latest", second).stdout), &d))
	for _, o := range d.Objects {
		line := fmt.Sprintf("%s %s %s", o.Kind, o.Name, o.Change)
		if len(o.Fields) == 0 {
			lines = append(lines, line)
		}
		for _, f := range o.Fields {
			lines = append(lines, line+" "+f.Path)
		}
	}
	return lines
}
