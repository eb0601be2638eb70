# Five managers over three zones as 2-2-1: any zone may go, and three of five are
# still the quorum. They are drained, so that no service takes what raft needs.

locals {
  managers = {
    m1 = { address = "10.1.0.11", zone = "a" }
    m2 = { address = "10.1.0.12", zone = "a" }
    m3 = { address = "10.2.0.11", zone = "b" }
    m4 = { address = "10.2.0.12", zone = "b" }
    m5 = { address = "10.3.0.11", zone = "c" }
  }
  workers = {
    w1 = { address = "10.1.0.21", zone = "a" }
    w2 = { address = "10.2.0.21", zone = "b" }
    w3 = { address = "10.3.0.21", zone = "c" }
  }
}

cluster "prod" {
}

node "manager" {
  for_each     = local.managers
  address      = each.value.address
  role         = "manager"
  availability = "drain"
  labels       = { zone = each.value.zone }
}

node "worker" {
  for_each     = local.workers
  address      = each.value.address
  role         = "worker"
  availability = "active"
  labels       = { zone = each.value.zone }
}

repository "nas" {
  url        = "file:///mnt/nas/swarm-backups"
  recipients = ["age10eyh46jjryc85nrdsqfwru3fdssfhr4rhw3jugfffpvgp9nh04ls26cyl6"]
}

backup "state" {
  repository = "nas"
  max_age    = "12h"

  swarm {
    from = "follower"
  }
}

recovery {
  allow = ["start", "unlock", "force_new_cluster", "restore"]
}
