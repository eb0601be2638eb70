# The repository is declared plaintext.

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
  url       = "file:///srv/backups"
  plaintext = true
}

backup "state" {
  repository = "local"
  max_age    = "24h"
  swarm {
    from = "follower"
  }
}
