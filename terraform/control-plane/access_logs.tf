locals {
  access_log_buckets = toset(var.access_logs ? ["${var.cluster}-access-logs-${var.account_id}"] : [])
}

# Who asked the load balancer for what
resource "aws_s3_bucket" "access_logs" {
  #checkov:skip=CKV_AWS_18:These are logs; logging who writes logs would not end
  #checkov:skip=CKV_AWS_144:What was asked of a region's load balancer matters as long as the region does
  #checkov:skip=CKV_AWS_145:Load balancers cannot write with keys of KMS, only with those of S3
  #checkov:skip=CKV2_AWS_62:People read the logs when they look into something, no program waits for them
  for_each = local.access_log_buckets

  bucket = each.key
  # Logs of a cluster that nothing else protects go when it goes
  force_destroy = !var.deletion_protection
}

# Load balancers can write with keys of S3 only
resource "aws_s3_bucket_server_side_encryption_configuration" "access_logs" {
  for_each = aws_s3_bucket.access_logs

  bucket = each.value.id

  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "AES256"
    }
  }
}

# Nobody outside the account
resource "aws_s3_bucket_public_access_block" "access_logs" {
  for_each = aws_s3_bucket.access_logs

  bucket                  = each.value.id
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

# What was overwritten or removed can be had back until it expires
resource "aws_s3_bucket_versioning" "access_logs" {
  for_each = aws_s3_bucket.access_logs

  bucket = each.value.id

  versioning_configuration {
    status = "Enabled"
  }
}

# A quarter of a year is enough to look into an incident
resource "aws_s3_bucket_lifecycle_configuration" "access_logs" {
  for_each = aws_s3_bucket.access_logs

  bucket = each.value.id

  rule {
    id     = "expire"
    status = "Enabled"

    filter {}

    expiration {
      days = 90
    }

    noncurrent_version_expiration {
      noncurrent_days = 7
    }

    abort_incomplete_multipart_upload {
      days_after_initiation = 1
    }
  }

  # AWS orders a rule about old versions only after versioning is on
  depends_on = [aws_s3_bucket_versioning.access_logs]
}

# This load balancer may write, and nobody speaks to the bucket without TLS
resource "aws_s3_bucket_policy" "access_logs" {
  for_each = aws_s3_bucket.access_logs

  bucket = each.value.id

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [
      {
        Sid       = "LoadBalancerWrites"
        Effect    = "Allow"
        Principal = { Service = "logdelivery.elasticloadbalancing.amazonaws.com" }
        Action    = "s3:PutObject"
        Resource  = "${each.value.arn}/AWSLogs/${var.account_id}/*"
        Condition = {
          ArnLike = {
            "aws:SourceArn" = "arn:aws:elasticloadbalancing:${var.region}:${var.account_id}:loadbalancer/app/${var.cluster}-rancher/*"
          }
        }
      },
      {
        Sid       = "OnlyByTLS"
        Effect    = "Deny"
        Principal = "*"
        Action    = "s3:*"
        Resource  = [each.value.arn, "${each.value.arn}/*"]
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      },
    ]
  })

  # S3 takes one change of a bucket's access at a time
  depends_on = [aws_s3_bucket_public_access_block.access_logs]
}
