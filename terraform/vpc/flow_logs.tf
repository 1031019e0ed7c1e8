# Who talked to whom and was refused: where one looks when a host cannot reach Rancher
resource "aws_flow_log" "this" {
  vpc_id                   = aws_vpc.this.id
  traffic_type             = "ALL"
  log_destination_type     = "cloud-watch-logs"
  log_destination          = aws_cloudwatch_log_group.flow.arn
  iam_role_arn             = aws_iam_role.flow_logs.arn
  max_aggregation_interval = 60

  tags = { Name = "${var.cluster}-flow-logs" }
}

# Keeps the flow logs for as many days as the cluster file says
resource "aws_cloudwatch_log_group" "flow" {
  #checkov:skip=CKV_AWS_158:Flow logs hold addresses and ports, no content; CloudWatch encrypts them with a key of its own, and a customer key would have to be paid and could be lost
  #checkov:skip=CKV_AWS_338:How long is the cluster file's decision; a year of flow logs of a crawler costs more than the crawler
  name              = "/${var.cluster}/vpc/flow-logs"
  retention_in_days = var.flow_log_days
}

# Lets the flow log service write, on behalf of this account only
resource "aws_iam_role" "flow_logs" {
  name        = "${var.cluster}-flow-logs"
  description = "VPC flow logs of ${var.cluster} write to CloudWatch"

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Action    = "sts:AssumeRole"
      Principal = { Service = "vpc-flow-logs.amazonaws.com" }
      Condition = { StringEquals = { "aws:SourceAccount" = var.account_id } }
    }]
  })
}

# Writing into this one log group, and nothing else
resource "aws_iam_role_policy" "flow_logs" {
  name = "write-flow-logs"
  role = aws_iam_role.flow_logs.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow"
      Action = [
        "logs:CreateLogStream",
        "logs:DescribeLogStreams",
        "logs:PutLogEvents",
      ]
      Resource = "${aws_cloudwatch_log_group.flow.arn}:*"
    }]
  })
}
