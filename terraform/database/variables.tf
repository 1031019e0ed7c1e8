# network

variable "database_subnet_group" {
  description = "Name of the subnet group that the database is placed by, such as \"lab-database\"."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9._ -]{1,255}$", var.database_subnet_group))
    error_message = "The subnet group is given by its name, in lower case, not by the ids of its subnets."
  }
}

variable "database_group_id" {
  description = "Security group of the database, such as \"sg-0123456789abcdef0\"."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^sg-[0-9a-f]+$", var.database_group_id))
    error_message = "The id of a security group begins with sg-."
  }
}

# names

variable "dns_zone" {
  description = "Hosted zone of the cluster's names, such as \"example.org\"; it exists already."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.dns_zone))
    error_message = "The zone is a domain name in lower case without a dot at its end, such as example.org."
  }
}

variable "dns_name" {
  description = "Name of the database, such as \"rancher-db.example.org\"."
  type        = string
  nullable    = false

  validation {
    condition     = endswith(var.dns_name, ".${var.dns_zone}")
    error_message = "The database's name lies in the cluster's DNS zone: no record can be made elsewhere."
  }
}

# standing

variable "identifier" {
  description = "Name of the instance in RDS, such as \"lab-database\"; one that was restored has another than the first."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.identifier)) && length(var.identifier) <= 63
    error_message = "RDS names an instance by up to 63 lower case letters, digits and single dashes, beginning with a letter."
  }

  validation {
    condition     = startswith(var.identifier, "${var.cluster}-database")
    error_message = "The instance's name begins with that of the cluster and -database: people find it by that."
  }
}

variable "password_version" {
  description = "Which password the database has, such as 1; another number has a new one made and set."
  type        = number
  nullable    = false

  validation {
    condition     = var.password_version >= 1 && floor(var.password_version) == var.password_version
    error_message = "Passwords are counted from 1."
  }
}

variable "final_snapshot" {
  description = "Name of the snapshot that is taken if the instance is deleted, such as \"lab-database-final\"."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.final_snapshot)) && length(var.final_snapshot) <= 255
    error_message = "RDS names a snapshot by up to 255 lower case letters, digits and single dashes, beginning with a letter."
  }
}

# engine

variable "engine_version" {
  description = "Version of MySQL, such as \"5.7\" or \"5.7.44\"."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^5\\.[567](\\.[0-9]+)?$", var.engine_version))
    error_message = "Rancher 1.6 runs on MySQL 5.5, 5.6 and 5.7, and on nothing newer."
  }
}

variable "instance_class" {
  description = "Size of the machine, such as \"db.m5.large\"."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^db\\.[a-z0-9]+\\.[a-z0-9]+$", var.instance_class))
    error_message = "An instance class has three parts, such as db.m5.large."
  }

  validation {
    condition     = !endswith(var.instance_class, ".micro")
    error_message = "A micro instance has 1 GiB of memory, and Rancher wants as much for MySQL's buffer pool alone: take a small one at least."
  }
}

variable "storage_gib" {
  description = "Size of the disk in GiB, such as 50."
  type        = number
  nullable    = false

  validation {
    condition     = var.storage_gib >= 20 && var.storage_gib <= 16384 && floor(var.storage_gib) == var.storage_gib
    error_message = "A gp3 disk of MySQL has 20 to 16384 GiB."
  }
}

variable "multi_az" {
  description = "Whether a standby waits in another zone."
  type        = bool
  nullable    = false
}

variable "max_connections" {
  description = "Connections that MySQL takes, such as 500: up to 150 for each Rancher server, and some for people."
  type        = number
  nullable    = false

  validation {
    condition     = var.max_connections > 150 && var.max_connections <= 100000
    error_message = "More than 150 connections: a single Rancher server may hold as many, and RDS takes no more than 100000."
  }
}

# content

variable "database_name" {
  description = "Name of the database inside MySQL, such as \"rancher\"."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9_]{0,63}$", var.database_name))
    error_message = "The database's name is a lower case letter and up to 63 letters, digits and underscores."
  }
}

variable "username" {
  description = "User that Rancher comes as, such as \"rancher\"."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9_]{0,15}$", var.username)) && !contains(["admin", "mysql", "rdsadmin", "root"], var.username)
    error_message = "A user of MySQL has at most 16 lower case letters, digits and underscores, and is none that RDS keeps for itself."
  }
}
