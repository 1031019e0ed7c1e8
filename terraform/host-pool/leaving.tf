# What becomes of the machine: a host that stops is kept in Rancher, one that ends is not
resource "aws_iam_role_policy" "leaving" {
  name = "own-end"
  role = aws_iam_role.machine.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect = "Allow"
      # AWS lets nobody describe single instances only
      Action    = "ec2:DescribeInstances"
      Resource  = "*"
      Condition = { StringEquals = { "aws:RequestedRegion" = var.region } }
    }]
  })
}
