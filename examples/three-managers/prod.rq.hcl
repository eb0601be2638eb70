# Three managers and two workers, auto-locked, with a bucket of S3. Its credentials come
# from the environment, a profile or the machine's role, and never from here. CI plans
# without the identity and without the unlock key: a live manager tells that key when a
# backup needs it.

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

repository "offsite" {
  url        = "s3://swarm-backups/prod?region=eu-central-1"
  recipients = ["age10eyh46jjryc85nrdsqfwru3fdssfhr4rhw3jugfffpvgp9nh04ls26cyl6"]
  identity   = env("RQ_IDENTITY_FILE")
}

backup "state" {
  repository = "offsite"
  max_age    = "24h"

  swarm {
    from = "follower"
  }

  keep {
    last    = 7
    daily   = 30
    monthly = 12
  }
}

recovery {
  allow        = ["start", "unlock", "force_new_cluster", "restore"]
  restore_onto = "m1"

  unlock_key_to {
    file = "unlock-key.age"
  }
}
