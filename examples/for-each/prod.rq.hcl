# Five managers from one block, reached over ssh as a user with sudo.

variable "dc" {
  type        = string
  description = "The data centre: part of the hosts' names and of the repository's path."
  default     = "ams"

  validation {
    condition     = contains(["ams", "fra"], var.dc)
    error_message = "dc is ams or fra."
  }
}

locals {
  managers = { for i in range(1, 6) : "m${i}" => cidrhost("10.0.0.0/24", 10 + i) }
}

cluster "prod" {
}

node "manager" {
  for_each = local.managers
  address  = each.value
  role     = "manager"

  connection {
    ssh    = "ops@${each.key}.${var.dc}.example.com"
    become = "sudo"
  }
}

repository "nas" {
  url        = "file:///mnt/nas/${var.dc}"
  recipients = ["age1ql3z7hjy54pw3hyww5ayyfg7zqgvc7w3j2elw8zmrj2kg5sfn9aqmcac8p"]
}

backup "state" {
  repository = "nas"
  max_age    = "12h"

  swarm {
    from = "follower"
  }
}
