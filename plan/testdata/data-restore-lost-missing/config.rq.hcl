# Every manager's disk is empty, and the backup was made without the volume: the swarm does not stay down for it.

cluster "prod" {
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
  volume "pgdata" {
    node    = "w1"
    volume  = "db_pgdata"
    quiesce = ["db_postgres"]
  }
  directory "traefik" {
    node = "m1"
    path = "/etc/traefik"
  }
}

recovery {
  allow = ["start", "unlock", "force_new_cluster", "restore"]
}
