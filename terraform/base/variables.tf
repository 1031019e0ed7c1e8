# whose it is

variable "cluster" {
  description = "Name of the cluster, such as \"lab\"; every name that a person sees begins with it."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9]*(-[a-z0-9]+)*$", var.cluster)) && length(var.cluster) >= 2 && length(var.cluster) <= 16
    error_message = "The cluster's name is 2 to 16 lower case letters, digits and single dashes, beginning with a letter: load balancers allow 32 in all, databases no double dash."
  }

  validation {
    condition     = !contains(["internal", "sg"], split("-", var.cluster)[0])
    error_message = "The cluster's name does not begin with \"internal\" or \"sg\": AWS keeps names such as internal-x and sg-x for itself."
  }
}

# where it is

variable "account_id" {
  description = "AWS account that the cluster lives in, twelve digits; any other account is refused."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[0-9]{12}$", var.account_id))
    error_message = "An account id is twelve digits, in quotes so that leading zeros survive."
  }
}

variable "region" {
  description = "AWS region that the cluster lives in, such as \"eu-central-1\"."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^[a-z]{2}(-[a-z]+)+-[0-9]$", var.region))
    error_message = "A region is written as AWS writes it, such as eu-central-1: a zone such as eu-central-1a is not one."
  }
}
