# backup and maintenance

variable "backup_days" {
  description = "Days that nightly backups are kept, such as 14."
  type        = number
  nullable    = false

  validation {
    condition     = var.backup_days >= 1 && var.backup_days <= 35
    error_message = "Backups are kept for 1 to 35 days; without any, a cluster that is lost stays lost."
  }
}

variable "backup_window" {
  description = "When backups are made, in UTC, such as \"00:00-01:00\"."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^([01][0-9]|2[0-3]):[0-5][0-9]-([01][0-9]|2[0-3]):[0-5][0-9]$", var.backup_window))
    error_message = "The window for backups is written as hours and minutes, such as 00:00-01:00."
  }
}

variable "maintenance_window" {
  description = "When AWS may restart the database, in UTC, such as \"mon:01:30-mon:02:30\"; not while backups are made."
  type        = string
  nullable    = false

  validation {
    condition     = can(regex("^(mon|tue|wed|thu|fri|sat|sun):([01][0-9]|2[0-3]):[0-5][0-9]-(mon|tue|wed|thu|fri|sat|sun):([01][0-9]|2[0-3]):[0-5][0-9]$", var.maintenance_window))
    error_message = "The window for maintenance is written with the day in small letters, such as mon:01:30-mon:02:30."
  }
}

variable "deletion_protection" {
  description = "Whether AWS refuses to delete the database; its secret can then be called back too."
  type        = bool
  nullable    = false
}
