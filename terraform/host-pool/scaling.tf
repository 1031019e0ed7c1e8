locals {
  # Seconds until a new host carries load: it boots, joins and starts its first containers
  warm_up_s = 300

  # With how many waiting messages the pool begins to grow: what its smallest size is there for
  backlog = var.scaling.kind == "queue" ? var.scaling.messages_per_host * max(var.minimum, 1) : null

  # The last host of a pool without a minimum leaves nobody behind: that it goes takes a queue in
  # which nothing waits at all, and that it comes the first message, see waking.tf
  may_sleep = var.scaling.kind == "queue" && var.minimum == 0

  # Out by what waits beyond that, in one by one after a calm quarter of an hour: hosts that
  # come late cost minutes, hosts that go early cost the work on them.
  queue_rules = var.scaling.kind == "queue" ? {
    out = {
      comparison = "GreaterThanThreshold"
      threshold  = local.backlog
      statistic  = "Average"
      minutes    = 2
      steps = [
        { from = 0, to = 2 * var.scaling.messages_per_host, change = 1 },
        { from = 2 * var.scaling.messages_per_host, to = 5 * var.scaling.messages_per_host, change = 2 },
        { from = 5 * var.scaling.messages_per_host, to = null, change = 5 },
      ]
    }
    in = {
      comparison = "LessThanThreshold"
      threshold  = local.may_sleep ? 1 : local.backlog / 2
      statistic  = local.may_sleep ? "Maximum" : "Average"
      minutes    = 15
      steps      = [{ from = null, to = 0, change = -1 }]
    }
  } : {}
}

# Keeps the mean CPU use of the pool at its target
resource "aws_autoscaling_policy" "cpu" {
  for_each = toset(var.scaling.kind == "cpu" ? ["cpu"] : [])

  name                      = "${local.name}-${each.key}"
  autoscaling_group_name    = aws_autoscaling_group.hosts.name
  policy_type               = "TargetTrackingScaling"
  estimated_instance_warmup = local.warm_up_s

  # AWS makes and keeps the alarms of this one itself
  target_tracking_configuration {
    target_value = var.scaling.target_percent

    predefined_metric_specification {
      predefined_metric_type = "ASGAverageCPUUtilization"
    }
  }
}

# Grows and shrinks the pool by what waits in its queue
resource "aws_autoscaling_policy" "queue" {
  for_each = local.queue_rules

  name                      = "${local.name}-queue-${each.key}"
  autoscaling_group_name    = aws_autoscaling_group.hosts.name
  policy_type               = "StepScaling"
  adjustment_type           = "ChangeInCapacity"
  metric_aggregation_type   = "Average"
  estimated_instance_warmup = each.key == "out" ? local.warm_up_s : null

  dynamic "step_adjustment" {
    for_each = each.value.steps

    content {
      metric_interval_lower_bound = step_adjustment.value.from
      metric_interval_upper_bound = step_adjustment.value.to
      scaling_adjustment          = step_adjustment.value.change
    }
  }
}

# Tells the pool that much, or little, waits in its queue
resource "aws_cloudwatch_metric_alarm" "queue" {
  for_each = local.queue_rules

  alarm_name        = "${local.name}-queue-${each.key}"
  alarm_description = "Scales ${local.name} ${each.key} by the messages that wait in ${var.scaling.queue_name}."
  alarm_actions     = [aws_autoscaling_policy.queue[each.key].arn]

  namespace   = "AWS/SQS"
  metric_name = "ApproximateNumberOfMessagesVisible"
  dimensions  = { QueueName = var.scaling.queue_name }
  statistic   = each.value.statistic

  comparison_operator = each.value.comparison
  threshold           = each.value.threshold
  period              = 60
  evaluation_periods  = each.value.minutes

  # A queue that nobody used for hours tells no numbers: nothing waits in it
  treat_missing_data = each.key == "out" ? "notBreaching" : "breaching"
}

# Takes a size at a time of day
resource "aws_autoscaling_schedule" "hosts" {
  for_each = { for action in var.scaling.actions : action.name => action if var.scaling.kind == "schedule" }

  scheduled_action_name  = "${local.name}-${each.key}"
  autoscaling_group_name = aws_autoscaling_group.hosts.name
  recurrence             = each.value.cron
  time_zone              = var.scaling.time_zone

  # -1 leaves the pool's bounds as they are
  min_size         = -1
  max_size         = -1
  desired_capacity = each.value.desired
}
