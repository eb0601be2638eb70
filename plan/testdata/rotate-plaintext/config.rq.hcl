# The only repository is plaintext, so nobody could be given the new key's file.

cluster "prod" {
  unlock_key = "SWMKEY-1-golden"
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
  plaintext  = true
}

backup "state" {
  repository = "local"
  max_age    = "24h"
  swarm {
    from = "follower"
  }
}

recovery {
  allow = ["start", "unlock", "force_new_cluster", "restore"]
  unlock_key_to {
    file = "unlock-key.age"
  }
}
