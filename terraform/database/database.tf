locals {
  stack = "database"

  # What belongs to the cluster keeps its name when another instance takes over
  name = "${var.cluster}-database"
}

# Where Rancher keeps everything it knows
resource "aws_db_instance" "this" {
  #checkov:skip=CKV_AWS_161:Rancher knows user and password only, and a second way in is a second thing to watch
  #checkov:skip=CKV_AWS_353:Performance Insights does not exist for MySQL 5.7 on small instance classes; slow queries are in the exported log
  identifier = var.identifier

  # engine
  engine               = "mysql"
  engine_version       = var.engine_version
  instance_class       = var.instance_class
  parameter_group_name = aws_db_parameter_group.rancher.name

  # storage
  storage_type      = "gp3"
  allocated_storage = var.storage_gib
  storage_encrypted = true

  # content; the password passes through and is kept in no state and no plan
  db_name             = var.database_name
  username            = var.username
  password_wo         = jsondecode(ephemeral.aws_secretsmanager_secret_version.database.secret_string)["password"]
  password_wo_version = var.password_version

  # network
  db_subnet_group_name   = var.database_subnet_group
  vpc_security_group_ids = [var.database_group_id]
  multi_az               = var.multi_az
  publicly_accessible    = false

  # backup
  backup_retention_period   = var.backup_days
  backup_window             = var.backup_window
  copy_tags_to_snapshot     = true
  delete_automated_backups  = false
  skip_final_snapshot       = false
  final_snapshot_identifier = var.final_snapshot

  # maintenance: AWS's own waits for the window; a change of ours that restarts the database is made
  # at once, since the runner has somebody approve it first
  maintenance_window         = var.maintenance_window
  auto_minor_version_upgrade = true
  apply_immediately          = true

  # watching
  enabled_cloudwatch_logs_exports = keys(aws_cloudwatch_log_group.export)
  monitoring_interval             = 60
  monitoring_role_arn             = aws_iam_role.monitoring.arn

  # No prevent_destroy: it would hide from the runner's judge what a plan wants, and an interrupted
  # build would never be planned again. AWS itself refuses, and so does the judge.
  deletion_protection = var.deletion_protection

  tags = { Name = var.identifier }
}
