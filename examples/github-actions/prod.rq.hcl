# What the pipeline beside it plans and applies.

cluster "prod" {
}

node "manager" {
  for_each = { m1 = "10.0.0.11", m2 = "10.0.0.12", m3 = "10.0.0.13" }
  address  = each.value
  role     = "manager"
}

repository "nas" {
  url        = "file:///mnt/nas/swarm-backups"
  recipients = ["age10eyh46jjryc85nrdsqfwru3fdssfhr4rhw3jugfffpvgp9nh04ls26cyl6"]
}

backup "state" {
  repository = "nas"
  max_age    = "24h"

  swarm {
    from = "follower"
  }
}
