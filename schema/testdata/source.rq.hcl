# Made from the swarm.

cluster "prod" {
  autolock = true
  # unlock_key is left out, because it is a secret. Where no live manager can tell it:
  # unlock_key = env("UNLOCK_KEY")
  settings { task_history_limit = 3 }
}

# led
# when asked
node "m1" {
  address = "10.0.0.11"
  role    = "manager"
  labels  = { "x.y" = "$${b}", zone = "a" }
  connection {
    ssh    = "ops@m1"
    become = "sudo"
  }
}

node "m2" {
  address = "10.0.0.12"
  role    = "manager"
  connection { ssh = "m2" }
}

backup "state" {
  repository = "nas"
  max_age    = "24h"
  swarm { from = "follower" }
}
