# Where the control nodes read user and password at boot, by their role
resource "aws_secretsmanager_secret" "database" {
  #checkov:skip=CKV_AWS_149:AWS's own key for Secrets Manager serves one account only; a customer key would add a second right to every reader and nothing to the secrecy
  #checkov:skip=CKV2_AWS_57:Rancher reads the password once, at start; a rotation by itself would cut every server off: rotate-database-password restarts them too
  name        = "${var.cluster}/database"
  description = "User and password of Rancher's database in ${var.cluster}"

  # What is protected can be called back; what is not makes room for its successor at once
  recovery_window_in_days = var.deletion_protection ? 30 : 0

  tags = { Name = local.name }
}

# Ephemeral values come through a configuration of their own: tests mock the other one, and a mock
# refuses a configuration that has any
provider "aws" {
  alias  = "secrets"
  region = var.region

  allowed_account_ids = [var.account_id]
}

# What is asked of the password: a resource, so that AWS is asked for one when there is a plan to
# apply, and not to make the first plan
resource "terraform_data" "password" {
  input = { version = var.password_version, length = 40 }
}

# Made in AWS, of letters and digits alone: RDS refuses some signs and more than 41 characters
ephemeral "aws_secretsmanager_random_password" "database" {
  provider = aws.secrets

  password_length     = terraform_data.password.output.length
  exclude_punctuation = true
}

# The secret's content: written, but kept in no state and no plan
resource "aws_secretsmanager_secret_version" "database" {
  secret_id = aws_secretsmanager_secret.database.id

  secret_string_wo_version = var.password_version
  secret_string_wo = jsonencode({
    username = var.username
    password = ephemeral.aws_secretsmanager_random_password.database.random_password
  })
}

# Read back, so that a run that died between secret and database goes on with the same password
ephemeral "aws_secretsmanager_secret_version" "database" {
  provider = aws.secrets

  secret_id  = aws_secretsmanager_secret_version.database.secret_id
  version_id = aws_secretsmanager_secret_version.database.version_id
}
