locals {
  # What every resource carries; instances need it spelled out, since groups do not pass default tags on
  tags = {
    Cluster   = var.cluster
    Stack     = local.stack
    ManagedBy = "corral"
  }
}

provider "aws" {
  region = var.region

  # A run with the credentials of another account stops before it reads anything
  allowed_account_ids = [var.account_id]

  default_tags {
    tags = local.tags
  }
}
