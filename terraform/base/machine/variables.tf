# machines

variable "private_subnet_ids" {
  description = "Private subnets that the machines are spread over, one for each zone."
  type        = list(string)
  nullable    = false

  validation {
    condition     = length(var.private_subnet_ids) >= 2 && length(var.private_subnet_ids) == length(distinct(var.private_subnet_ids))
    error_message = "Two or more different subnets are needed, so that the loss of a zone leaves machines in another."
  }
}

variable "instance_type" {
  description = "EC2 instance type, such as \"m5.large\"."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z0-9-]+\\.[a-z0-9-]+$", var.instance_type))
    error_message = "An instance type is a family and a size with a dot between, such as m5.large."
  }
}

variable "image_name" {
  description = "Name of the machine image, * matches, such as \"corral-node-*\"; the newest of this account is taken."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("[^*?]", var.image_name))
    error_message = "The image's name holds more than wildcards: any newest image of the account would match."
  }
}

variable "volume_gib" {
  description = "Size of a machine's root volume in GiB; it holds the system, Docker's images and containers."
  type        = number
  nullable    = false

  validation {
    condition     = var.volume_gib >= 8 && var.volume_gib <= 16384 && floor(var.volume_gib) == var.volume_gib
    error_message = "A root volume is 8 to 16384 whole GiB: less does not hold the image, more gp3 does not offer."
  }
}
