# network

variable "vpc_id" {
  description = "VPC that the nodes and their load balancer live in."
  type        = string
  nullable    = false

  validation {
    condition     = startswith(var.vpc_id, "vpc-")
    error_message = "A VPC's id begins with vpc-."
  }
}

variable "public_subnet_ids" {
  description = "Public subnets, one for each zone; the load balancer stands here unless it is internal."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.public_subnet_ids) >= 2 && length(var.public_subnet_ids) == length(distinct(var.public_subnet_ids))
    error_message = "A load balancer needs two or more different subnets, each in a zone of its own."
  }
}

variable "load_balancer_group_id" {
  description = "Security group of the load balancer."
  type        = string
  nullable    = false

  validation {
    condition     = startswith(var.load_balancer_group_id, "sg-")
    error_message = "A security group's id begins with sg-."
  }
}

variable "control_group_id" {
  description = "Security group of the nodes."
  type        = string
  nullable    = false

  validation {
    condition     = startswith(var.control_group_id, "sg-")
    error_message = "A security group's id begins with sg-."
  }
}

# nodes

variable "control_count" {
  description = "How many nodes there are in the end: 3 survive the loss of one, 5 of two."
  type        = number
  nullable    = false

  validation {
    condition     = contains([3, 5], var.control_count)
    error_message = "There are 3 or 5 nodes: fewer survive no loss, an even number no more losses than one node less, and more gain nothing."
  }
}

variable "server_image" {
  description = "Image of Rancher's server, the same on all nodes, such as \"rancher/server:v1.6.30\"."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex(":v1\\.6\\.[0-9]+$", var.server_image))
    error_message = "The image has an exact 1.6 tag, such as rancher/server:v1.6.30: a moving tag would give nodes of one cluster different versions."
  }
}

# database

variable "database_host" {
  description = "Name of the database."
  type        = string
  nullable    = false
}

variable "database_port" {
  description = "Port of the database, such as 3306."
  type        = number
  nullable    = false

  validation {
    condition     = var.database_port >= 1 && var.database_port <= 65535
    error_message = "A port is 1 to 65535."
  }
}

variable "database_name" {
  description = "Database on that server which holds Rancher's tables."
  type        = string
  nullable    = false
}

variable "database_username" {
  description = "User of the database; the password is in the secret only."
  type        = string
  nullable    = false
}

variable "database_secret_arn" {
  description = "ARN of the secret with the database's password, the only one that the nodes may read."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^arn:aws:secretsmanager:[a-z0-9-]+:[0-9]{12}:secret:[^*?]+$", var.database_secret_arn))
    error_message = "The secret is named by its whole ARN without wildcards, which would let the nodes read others too."
  }
}
