# Three managers and two workers, auto-locked, with a NAS that is mounted on the
# machine on which requeen runs. CI plans without the identity and without the
# unlock key: a live manager tells that key when a backup needs it.

cluster "prod" {
  autolock   = true
  unlock_key = env("PROD_UNLOCK_KEY")
}

node "manager" {
  for_each = { m1 = "10.0.0.11", m2 = "10.0.0.12", m3 = "10.0.0.13" }
  address  = each.value
  role     = "manager"

  connection {
    ssh    = "ops@${each.value}"
    become = "sudo"
  }
}

node "worker" {
  for_each = { w1 = "10.0.0.21", w2 = "10.0.0.22" }
  address  = each.value
  role     = "worker"

  connection {
    none = true
  }
}

repository "nas" {
  url        = "file:///mnt/nas/swarm-backups"
  recipients = ["age10eyh46jjryc85nrdsqfwru3fdssfhr4rhw3jugfffpvgp9nh04ls26cyl6"]
  identity   = env("RQ_IDENTITY_FILE")
}

backup "state" {
  repository = "nas"
  max_age    = "24h"

  swarm {
    from = "follower"
  }
}

recovery {
  allow        = ["start", "unlock", "force_new_cluster", "restore"]
  restore_onto = "m1"

  unlock_key_to {
    file = "unlock-key.age"
  }
}
