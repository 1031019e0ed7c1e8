# network

variable "vpc_id" {
  description = "Network that the groups belong to, such as \"vpc-0123456789abcdef0\"."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^vpc-[0-9a-f]+$", var.vpc_id))
    error_message = "The id of a network begins with vpc-."
  }
}

# who may come in

variable "admin_cidrs" {
  description = "Networks of the people who run the cluster, such as [\"203.0.113.0/24\"]; they reach the load balancer."
  type        = list(string)
  nullable    = false

  validation {
    condition     = alltrue([for cidr in var.admin_cidrs : try(cidrsubnet(cidr, 0, 0) == cidr, false) && !strcontains(cidr, ":")])
    error_message = "Each admin network is an IPv4 network that begins at its own first address, such as 203.0.113.0/24."
  }

  validation {
    condition     = !anytrue([for cidr in var.admin_cidrs : endswith(cidr, "/0")])
    error_message = "The whole internet is no admin network: set load_balancer_open to open the load balancer, and nothing else, to everybody."
  }
}

variable "nat_public_ips" {
  description = "Addresses of the NAT gateways, such as [\"198.51.100.7\"]: hosts reach an internet-facing load balancer under these."
  type        = list(string)
  nullable    = false

  validation {
    condition     = alltrue([for address in var.nat_public_ips : can(cidrhost("${address}/32", 0)) && !strcontains(address, ":")])
    error_message = "Each is one IPv4 address without a prefix length, such as 198.51.100.7."
  }
}

variable "load_balancer_open" {
  description = "Whether everybody may reach the load balancer; true only if the cluster file asks for it by name."
  type        = bool
  nullable    = false
}

variable "database_admin_access" {
  description = "Whether the admin networks may reach the database too; true only if the cluster file says so."
  type        = bool
  nullable    = false
}
