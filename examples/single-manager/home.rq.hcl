# One manager at home. Nothing can be stopped without the control plane being away
# for that long, and its own backup is all there is on the day its disk dies.

cluster "home" {
}

node "nas" {
  address = "192.168.1.10"
  role    = "manager"

  connection {
    local = true
  }
}

repository "usb" {
  url        = "file:///mnt/usb/swarm-backups"
  recipients = ["age10eyh46jjryc85nrdsqfwru3fdssfhr4rhw3jugfffpvgp9nh04ls26cyl6"]
  identity   = "/root/requeen-identity.txt"
}

backup "state" {
  repository = "usb"
  max_age    = "7d"

  swarm {
    from = "nas"
  }
}

recovery {
  allow        = ["start", "unlock", "restore"]
  restore_onto = "nas"
}
