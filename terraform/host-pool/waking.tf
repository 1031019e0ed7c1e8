locals {
  # A pool that may be empty would else let the first messages wait until they are worth a host
  wakes = toset(local.may_sleep ? ["wake"] : [])
}

# Starts the first host of an empty pool
resource "aws_autoscaling_policy" "wake" {
  for_each = local.wakes

  name                    = "${local.name}-queue-${each.key}"
  autoscaling_group_name  = aws_autoscaling_group.hosts.name
  policy_type             = "StepScaling"
  adjustment_type         = "ChangeInCapacity"
  metric_aggregation_type = "Maximum"

  # The alarm says so again every minute until AWS counts the host; while it warms up, none is added
  estimated_instance_warmup = local.warm_up_s

  step_adjustment {
    metric_interval_lower_bound = 0
    scaling_adjustment          = 1
  }
}

# Tells that something waits in the queue and nobody is there
resource "aws_cloudwatch_metric_alarm" "wake" {
  for_each = local.wakes

  alarm_name        = "${local.name}-queue-${each.key}"
  alarm_description = "Starts the first host of ${local.name} when a message waits in ${var.scaling.queue_name}."
  alarm_actions     = [aws_autoscaling_policy.wake[each.key].arn]

  comparison_operator = "GreaterThanThreshold"
  threshold           = 0
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"

  metric_query {
    id          = "unheard"
    label       = "Messages that wait while there is no host"
    expression  = "IF(hosts < 1, waiting, 0)"
    return_data = true
  }

  metric_query {
    id = "waiting"

    metric {
      namespace   = "AWS/SQS"
      metric_name = "ApproximateNumberOfMessagesVisible"
      dimensions  = { QueueName = var.scaling.queue_name }
      period      = 60
      stat        = "Maximum"
    }
  }

  metric_query {
    id = "hosts"

    metric {
      namespace   = "AWS/AutoScaling"
      metric_name = "GroupDesiredCapacity"
      dimensions  = { AutoScalingGroupName = aws_autoscaling_group.hosts.name }
      period      = 60
      stat        = "Maximum"
    }
  }
}
