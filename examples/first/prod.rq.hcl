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

repository "nas" {
  url        = "file:///mnt/nas/swarm-backups"
  recipients = ["age10eyh46jjryc85nrdsqfwru3fdssfhr4rhw3jugfffpvgp9nh04ls26cyl6"]
  identity   = "/root/requeen-identity.txt"
}

backup "state" {
  repository = "nas"
  max_age    = "24h"

  swarm {
    from = "follower"
  }
}
