# network

variable "cidr" {
  description = "Range of the network, /16 to /22, such as \"10.40.0.0/16\"; each subnet gets a sixteenth of it."
  type        = string
  nullable    = false

  validation {
    condition     = try(cidrsubnet(var.cidr, 0, 0) == var.cidr, false)
    error_message = "The range is an IPv4 network that begins at its own first address, such as 10.40.0.0/16."
  }

  validation {
    condition     = try(tonumber(split("/", var.cidr)[1]) >= 16 && tonumber(split("/", var.cidr)[1]) <= 22, false)
    error_message = "The range is /16 to /22: AWS takes no larger network, and a load balancer's subnet no smaller one."
  }
}

variable "zones" {
  description = "Availability zones, two to four, such as [\"eu-central-1a\", \"eu-central-1b\"]; adding one at the end moves no subnet."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.zones) >= 2 && length(var.zones) <= 4
    error_message = "Two to four zones: load balancer and database need two to survive the loss of one, and the range has room for four."
  }

  validation {
    condition     = length(var.zones) == length(distinct(var.zones))
    error_message = "A zone is named twice: its second subnet would survive nothing."
  }

  validation {
    condition     = alltrue([for zone in var.zones : startswith(zone, var.region)])
    error_message = "Every zone lies in the cluster's region, so its name begins with the region's."
  }
}

# ways in and out

variable "nat" {
  description = "NAT gateways: \"single\" is cheaper, \"per_zone\" survives the loss of a zone."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["single", "per_zone"], var.nat)
    error_message = "NAT is either single or per_zone."
  }
}

variable "admin_cidrs" {
  description = "Networks that may reach the cluster, such as [\"203.0.113.0/24\"]; 0.0.0.0/0 among them only when the cluster file opens the load balancer, and then for the public subnets alone."
  type        = list(string)
  nullable    = false

  validation {
    condition     = alltrue([for cidr in var.admin_cidrs : try(cidrsubnet(cidr, 0, 0) == cidr, false) && !strcontains(cidr, ":")])
    error_message = "Each admin network is an IPv4 network that begins at its own first address, such as 203.0.113.0/24."
  }

  validation {
    condition     = length(var.admin_cidrs) + (var.nat == "single" ? 1 : length(var.zones)) <= 8
    error_message = "Admin networks and NAT gateways together are at most eight: a network ACL has room for 20 rules. Join neighbouring networks into one."
  }
}

# logs

variable "flow_log_days" {
  description = "Days that flow logs are kept, such as 90."
  type        = number
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.flow_log_days)
    error_message = "CloudWatch keeps logs for 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288 or 3653 days."
  }
}
