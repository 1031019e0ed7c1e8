# front door

variable "dns_zone" {
  description = "Public hosted zone of Route 53 that exists, such as \"example.com\"."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^([a-z0-9]([a-z0-9-]*[a-z0-9])?\\.)+[a-z]{2,}$", var.dns_zone))
    error_message = "A zone is a domain in lower case without a dot at its end, such as example.com."
  }
}

variable "dns_name" {
  description = "Name in the zone that Rancher is reached by, such as \"rancher.example.com\"."
  type        = string
  nullable    = false

  validation {
    condition     = endswith(var.dns_name, ".${var.dns_zone}")
    error_message = "The name ${var.dns_name} lies outside the zone ${var.dns_zone}: its records could not be made."
  }
}

variable "certificate" {
  description = "\"find\" takes the newest issued certificate for the name, \"create\" makes one, validated by DNS."
  type        = string
  nullable    = false

  validation {
    condition     = contains(["find", "create"], var.certificate)
    error_message = "A certificate is there to \"find\" or to \"create\"."
  }
}

variable "internal" {
  description = "True: the load balancer stands in the private subnets and is reached from inside only."
  type        = bool
  nullable    = false
}

variable "deletion_protection" {
  description = "True: AWS refuses to delete the load balancer, and its logs outlive it."
  type        = bool
  nullable    = false
}

variable "access_logs" {
  description = "True: a bucket is made that keeps the load balancer's access logs."
  type        = bool
  nullable    = false
}
