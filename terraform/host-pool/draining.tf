locals {
  queue_name             = "${local.name}-terminations"
  dead_letter_queue_name = "${local.queue_name}-failed"

  # How long one look at a message may take before another may take it
  look_s = 60

  events = merge(
    {
      # The group holds the machine until its host is drained
      terminating = {
        source      = ["aws.autoscaling"]
        detail-type = ["EC2 Instance-terminate Lifecycle Action"]
        detail      = { AutoScalingGroupName = [local.name] }
      }
    },
    var.spot_percent == 0 ? {} : {
      # Says an instance's id and nothing of its group, so warnings of the whole account arrive:
      # whoever drains looks the instance up and drops what is not of this pool.
      spot-interruption = {
        source      = ["aws.ec2"]
        detail-type = ["EC2 Spot Instance Interruption Warning"]
      }
    },
  )
}

# Holds a machine that shall go, until it is drained or its time is over
resource "aws_autoscaling_lifecycle_hook" "drain" {
  name                   = "${local.name}-drain"
  autoscaling_group_name = aws_autoscaling_group.hosts.name
  lifecycle_transition   = "autoscaling:EC2_INSTANCE_TERMINATING"
  heartbeat_timeout      = var.drain_timeout_s
  # A machine that nobody drained in time goes all the same; what stays in Rancher is found later
  default_result = "CONTINUE"
}

# What is worth a look
resource "aws_cloudwatch_event_rule" "drain" {
  for_each = local.events

  name          = "${local.name}-${each.key}"
  description   = "Instances of ${local.name} that go: ${each.key}"
  event_pattern = jsonencode(each.value)
}

# From the rules into the queue
resource "aws_cloudwatch_event_target" "drain" {
  for_each = aws_cloudwatch_event_rule.drain

  rule      = each.value.name
  target_id = "queue"
  arn       = aws_sqs_queue.terminations.arn
}

# Machines that go, for the flow that drains them
resource "aws_sqs_queue" "terminations" {
  name                       = local.queue_name
  sqs_managed_sse_enabled    = true
  receive_wait_time_seconds  = 20
  visibility_timeout_seconds = local.look_s
  # Older than a day it is history, and reconciling has found the host
  message_retention_seconds = 86400

  # Twice the looks that fit into the time for draining: then a person should look
  redrive_policy = jsonencode({
    deadLetterTargetArn = aws_sqs_queue.failed.arn
    maxReceiveCount     = max(5, ceil(2 * var.drain_timeout_s / local.look_s))
  })

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Allow"
      Principal = { Service = "events.amazonaws.com" }
      Action    = "sqs:SendMessage"
      Resource  = "arn:aws:sqs:${var.region}:${var.account_id}:${local.queue_name}"
      Condition = { ArnEquals = { "aws:SourceArn" = values(aws_cloudwatch_event_rule.drain)[*].arn } }
    }]
  })
}

# Messages whose work failed again and again, kept for a person as long as SQS keeps anything
resource "aws_sqs_queue" "failed" {
  name                      = local.dead_letter_queue_name
  sqs_managed_sse_enabled   = true
  message_retention_seconds = 1209600
}
