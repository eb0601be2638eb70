# All of the shape is declared, and the swarm has it.

cluster "prod" {
  autolock = false
  prune_nodes = true
  listen_addr = "0.0.0.0"
  data_path_addr = "eth1"
  data_path_port = 4789
  default_addr_pool = ["10.0.0.0/8"]
  settings {
    task_history_limit = 5
    cert_expiry = "90d"
    dispatcher_heartbeat = "5s"
  }
}

node "m1" {
  address = "10.0.0.11"
  role    = "manager"
}

node "m2" {
  availability = "active"
  address = "10.0.0.12"
  role    = "manager"
}

node "m3" {
  address = "10.0.0.13"
  role    = "manager"
}

node "w1" {
  labels = {}
  address = "10.0.0.21"
  role    = "worker"
}

repository "local" {
  url        = "file:///srv/backups"
  recipients = ["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"]
  identity   = "/root/identity.txt"
}

backup "state" {
  repository = "local"
  max_age    = "24h"
  swarm {
    from = "follower"
  }
}
