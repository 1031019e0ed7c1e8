# how many there are, and when

variable "minimum" {
  description = "Fewest hosts of the pool, and how many it begins with."
  type        = number
  nullable    = false

  validation {
    condition     = var.minimum >= 0 && floor(var.minimum) == var.minimum
    error_message = "The minimum is a whole number of hosts, or 0."
  }
}

variable "maximum" {
  description = "Most hosts of the pool."
  type        = number
  nullable    = false

  validation {
    condition     = var.maximum >= 1 && var.maximum >= var.minimum && floor(var.maximum) == var.maximum
    error_message = "The maximum is a whole number of hosts, 1 or more and not under the minimum."
  }
}

variable "spot_percent" {
  description = "Share of the hosts in percent that are spot instances: cheap, and taken back at two minutes' notice."
  type        = number
  nullable    = false

  validation {
    condition     = var.spot_percent >= 0 && var.spot_percent <= 100 && floor(var.spot_percent) == var.spot_percent
    error_message = "A share is 0 to 100 whole percent."
  }
}

variable "scaling" {
  description = "What the size follows: kind \"cpu\" with target_percent, \"queue\" with queue_name (SQS, same account and region) and messages_per_host, or \"schedule\" with time_zone and actions (cron of five fields)."
  type = object({
    kind              = string
    target_percent    = optional(number)
    queue_name        = optional(string)
    messages_per_host = optional(number)
    time_zone         = optional(string)
    actions           = optional(list(object({ name = string, cron = string, desired = number })), [])
  })
  nullable = false

  validation {
    condition     = contains(["cpu", "queue", "schedule"], var.scaling.kind)
    error_message = "A pool scales by \"cpu\", \"queue\" or \"schedule\"."
  }

  validation {
    condition     = var.scaling.kind != "cpu" || try(var.scaling.target_percent >= 10 && var.scaling.target_percent <= 90, false)
    error_message = "Scaling by cpu needs a target_percent of 10 to 90: over that there is no headroom, under it no use."
  }

  validation {
    condition     = var.scaling.kind != "queue" || try(length(var.scaling.queue_name) > 0 && var.scaling.messages_per_host >= 1, false)
    error_message = "Scaling by queue needs a queue_name, and messages_per_host of 1 or more."
  }

  validation {
    condition     = var.scaling.kind != "schedule" || try(length(var.scaling.time_zone) > 0 && length(var.scaling.actions) > 0, false)
    error_message = "Scaling by schedule needs a time_zone and one action or more."
  }

  validation {
    condition     = alltrue([for action in var.scaling.actions : action.desired >= var.minimum && action.desired <= var.maximum])
    error_message = "A scheduled size lies between minimum and maximum: the group could never take another."
  }

  validation {
    condition     = length(distinct(var.scaling.actions[*].name)) == length(var.scaling.actions)
    error_message = "Scheduled actions have different names: of two with one name only one would be made."
  }
}
