# what it is

variable "pool" {
  description = "Name of the pool, such as \"web\"; with the cluster's it names the group and all that belongs to it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.pool)) && length(var.pool) >= 2 && length(var.pool) <= 16
    error_message = "A pool's name is 2 to 16 lower case letters, digits and single dashes, beginning with a letter: it is part of names that AWS limits."
  }

  validation {
    condition     = !contains(["control", "database", "flow-logs", "hosts", "load-balancer", "rancher"], var.pool)
    error_message = "The name ${var.pool} is taken by another stack."
  }
}

variable "environment" {
  description = "Rancher environment that the hosts join; becomes their label env."
  type        = string
  nullable    = false

  validation {
    condition     = var.environment != ""
    error_message = "A host joins an environment by its name."
  }
}

variable "role" {
  description = "What the hosts are for, such as \"web\"; becomes their label role, by which services are placed."
  type        = string
  nullable    = false

  validation {
    condition     = var.role != ""
    error_message = "A host without a role would be given no service."
  }
}

variable "labels" {
  description = "Further host labels, such as { network = \"external\" }."
  type        = map(string)
  nullable    = false

  validation {
    condition = alltrue([
      for label in keys(var.labels) :
      !contains(["role", "env"], label) && !startswith(label, "aws.") && !startswith(label, "io.rancher.")
    ])
    error_message = "The labels role, env, aws.* and io.rancher.* say what a host is; they are set by corral and by Rancher."
  }
}

# network

variable "hosts_group_id" {
  description = "Security group of the hosts."
  type        = string
  nullable    = false

  validation {
    condition     = startswith(var.hosts_group_id, "sg-")
    error_message = "A security group's id begins with sg-."
  }
}

# joining and leaving

variable "rancher_url" {
  description = "Where the hosts reach Rancher, such as \"https://rancher.example.com\"."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^https://[a-z0-9.-]+$", var.rancher_url))
    error_message = "Rancher's address is https:// and a name, without a path: agents refuse any other than the registered one."
  }
}

variable "environment_secret" {
  description = "Name of the secret with the environment's API key, such as \"lab/environments/default\"; the only one that the hosts may read."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[^*?]+$", var.environment_secret)) && startswith(var.environment_secret, "${var.cluster}/environments/")
    error_message = "The hosts of cluster ${var.cluster} read one of ${var.cluster}/environments/, without wildcards: never the administrator's."
  }
}

variable "drain_timeout_s" {
  description = "Seconds that a host has to drain, unless the flow asks for more, before its machine goes all the same."
  type        = number
  nullable    = false

  validation {
    condition     = var.drain_timeout_s >= 30 && var.drain_timeout_s <= 7200
    error_message = "AWS holds a machine for 30 to 7200 seconds between two heartbeats."
  }
}
