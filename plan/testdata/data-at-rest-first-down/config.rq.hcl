# A service is at rest, and the first of the copies can't be used: the lock of the other serves.

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

repository "nas" {
  url        = "file:///mnt/nas"
  recipients = ["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"]
  identity   = "/root/identity.txt"
}

backup "state" {
  copies     = ["local", "nas"]
  max_age    = "24h"
  swarm {
    from = "follower"
  }
  volume "pgdata" {
    node    = "w1"
    quiesce = ["db_postgres"]
  }
}
