package lab

import (
	"strings"
	"testing"
)

const wantConfig = `# The swarm of lab lab. Before the first command:
#   export RQ_SSH_CONFIG=/labs/one/ssh/config

cluster "lab" {
  unlock_key = file("unlock-key")
}

node "m1" {
  address = "10.210.3.11"
  role    = "manager"

  connection {
    ssh = "root@10.210.3.11"
  }
}

node "w1" {
  address = "10.210.3.101"
  role    = "worker"

  connection {
    ssh = "root@10.210.3.101"
  }
}

repository "local" {
  url        = "file:///labs/one/repository"
  recipients = ["age1example"]
  identity   = "/labs/one/identity.txt"
}

backup "state" {
  repository = "local"
  max_age    = "24h"

  swarm {
    from = "follower"
  }
}
`

func TestConfigText(t *testing.T) {
	st := testState(t, func(o *Options) { o.Managers, o.Autolock = 1, true })
	st.addNode(roleManager)
	st.Nodes[len(st.Nodes)-1].Added = true
	if got := st.configText("age1example"); got != wantConfig {
		t.Errorf("got:\n%s\nwant:\n%s", got, wantConfig)
	}
}

func TestConfigTextWithoutAutolock(t *testing.T) {
	st := testState(t, func(o *Options) {})
	if text := st.configText("age1example"); strings.Contains(text, "unlock_key") {
		t.Errorf("a lab without autolock has a key:\n%s", text)
	}
}

// An added node is known to ssh, though not in the configuration.
func TestSSHText(t *testing.T) {
	st := testState(t, func(o *Options) { o.Managers = 1 })
	st.addNode(roleManager)
	st.Nodes[len(st.Nodes)-1].Added = true
	text := st.sshText()
	for _, want := range []string{
		"Host m2\n  HostName 10.210.3.12\n",
		"Host 10.210.3.* m1 w1 m2\n  IdentityFile /labs/one/ssh/id_ed25519\n  IdentitiesOnly yes\n  UserKnownHostsFile /labs/one/ssh/known_hosts\n",
		"  User root\n",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not in:\n%s", want, text)
		}
	}
}
