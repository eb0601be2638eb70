# Auto-lock, settings and what was fixed when the swarm was made are declared otherwise.

cluster "prod" {
  autolock = true
  data_path_port = 7789
  default_addr_pool = ["10.20.0.0/16"]
  default_addr_pool_mask_length = 26
  settings {
    task_history_limit = 0
    cert_expiry = "30d"
    election_tick = 20
  }
}

node "m1" {
  address = "10.0.0.11"
  role    = "manager"
}

node "m2" {
  address = "10.0.0.12"
  role    = "manager"
}

node "m3" {
  address = "10.0.0.13"
  role    = "manager"
}

node "w1" {
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
