# What a machine may do in AWS, each group of machines with a role of its own
resource "aws_iam_role" "machine" {
  name        = local.machine.name
  description = "Machines of ${local.machine.name}"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "ec2.amazonaws.com" }
    }]
  })
}

# Pull images, and what else of AWS's own policies these machines are for
resource "aws_iam_role_policy_attachment" "machine" {
  for_each = local.machine.policies

  role       = aws_iam_role.machine.name
  policy_arn = "arn:aws:iam::aws:policy/${each.key}"
}

# The one secret that these machines need, and no other
resource "aws_iam_role_policy" "secret" {
  name = "own-secret"
  role = aws_iam_role.machine.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "secretsmanager:GetSecretValue"
      Resource = local.machine.secret_arn
    }]
  })
}

# Session Manager, the only way in. AWS's own policy for it would let a machine read every parameter
# of the account that Systems Manager keeps, secret ones included.
resource "aws_iam_role_policy" "session" {
  #checkov:skip=CKV_AWS_290:The channels of a session have no ARN to name; a machine opens and answers its own only
  #checkov:skip=CKV_AWS_355:The same
  name = "session-manager"
  role = aws_iam_role.machine.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow"
      Action = [
        "ssm:UpdateInstanceInformation",
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
      ]
      Resource = "*"
    }]
  })
}

# The image's agent sends logs and metrics. AWS's own policy for it allows every group of logs, every
# namespace, and reading parameters.
resource "aws_iam_role_policy" "observability" {
  #checkov:skip=CKV_AWS_290:Metrics and tags of machines have no ARN to name; the namespace is fixed
  #checkov:skip=CKV_AWS_355:The same
  name = "logs-and-metrics"
  role = aws_iam_role.machine.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Effect = "Allow"
        Action = [
          "logs:CreateLogGroup",
          "logs:CreateLogStream",
          "logs:DescribeLogGroups",
          "logs:DescribeLogStreams",
          "logs:PutLogEvents",
          "logs:PutRetentionPolicy",
        ]
        Resource = "arn:aws:logs:${var.region}:${var.account_id}:log-group:corral/*"
      },
      {
        Effect    = "Allow"
        Action    = "cloudwatch:PutMetricData"
        Resource  = "*"
        Condition = { StringEquals = { "cloudwatch:namespace" = "corral" } }
      },
      # Which group the machine is of, which its metrics are told apart by
      {
        Effect   = "Allow"
        Action   = "ec2:DescribeTags"
        Resource = "*"
      },
    ]
  })
}

# How the role reaches a machine
resource "aws_iam_instance_profile" "machine" {
  name = local.machine.name
  role = aws_iam_role.machine.name
}
