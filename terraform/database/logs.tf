# Made before RDS makes them by itself, which would keep them for ever
resource "aws_cloudwatch_log_group" "export" {
  #checkov:skip=CKV_AWS_158:CloudWatch encrypts them with a key of its own; they are read by those who may read the database
  #checkov:skip=CKV_AWS_338:Errors and slow queries are read within days; what has to be kept for years is in the backups
  for_each = toset(["error", "slowquery"])

  name              = "/aws/rds/instance/${var.identifier}/${each.key}"
  retention_in_days = 90
}

# Lets RDS report the machine's own figures every minute, on behalf of this account only
resource "aws_iam_role" "monitoring" {
  name        = "${local.name}-monitoring"
  description = "RDS reports memory, disk and processes of ${local.name}"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "monitoring.rds.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })
}

# Writing into the one log group that RDS uses for it
resource "aws_iam_role_policy" "monitoring" {
  name = "write-figures"
  role = aws_iam_role.monitoring.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow"
      Action = [
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:DescribeLogStreams",
        "logs:GetLogEvents",
        "logs:PutLogEvents",
        "logs:PutRetentionPolicy",
      ]
      Resource = "arn:aws:logs:${var.region}:${var.account_id}:log-group:RDSOSMetrics:*"
    }]
  })
}
