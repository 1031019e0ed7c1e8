mock_provider "aws" {
  mock_data "aws_ami" {
    defaults = { id = "ami-newest", root_device_name = "/dev/xvda" }
  }
}

variables {
  cluster    = "blue"
  account_id = "123456789012"
  region     = "us-east-1"

  pool        = "web"
  environment = "shop"
  role        = "frontend"
  labels      = { network = "external" }

  private_subnet_ids = ["subnet-a", "subnet-b", "subnet-c"]
  hosts_group_id     = "sg-hosts"

  instance_type = "m5.large"
  image_name    = "corral-node-*"
  volume_gib    = 50

  minimum      = 2
  maximum      = 6
  spot_percent = 0
  scaling      = { kind = "cpu", target_percent = 60, actions = null }

  rancher_url        = "https://rancher.example.com"
  environment_secret = "blue/environments/shop"
  drain_timeout_s    = 600
}

run "group_keeps_the_pool_within_its_bounds" {
  command = plan

  assert {
    condition = (
      aws_autoscaling_group.hosts.name == "blue-web"
      && aws_autoscaling_group.hosts.min_size == 2
      && aws_autoscaling_group.hosts.desired_capacity == 2
      && aws_autoscaling_group.hosts.max_size == 6
      && aws_autoscaling_group.hosts.wait_for_capacity_timeout == "0"
    )
    error_message = "A pool begins with its minimum."
  }

  assert {
    condition = (
      { for tag in aws_autoscaling_group.hosts.tag : tag.key => tag.value }
      == { Name = "blue-web", Cluster = "blue", Stack = "host-pool", ManagedBy = "corral", Pool = "web", Role = "frontend" }
      && alltrue(aws_autoscaling_group.hosts.tag[*].propagate_at_launch)
    )
    error_message = "Hosts carry the tags by which the herd is counted."
  }
}

run "machine_starts_closed" {
  command = plan

  assert {
    condition = (
      aws_launch_template.machine.metadata_options[0].http_tokens == "required"
      && aws_launch_template.machine.metadata_options[0].http_put_response_hop_limit == 1
    )
    error_message = "A container on a bridge cannot take the host's role."
  }

  assert {
    condition = (
      aws_launch_template.machine.block_device_mappings[0].ebs[0].encrypted == "true"
      && aws_launch_template.machine.block_device_mappings[0].ebs[0].volume_type == "gp3"
      && aws_launch_template.machine.block_device_mappings[0].ebs[0].volume_size == 50
    )
    error_message = "The root volume is encrypted gp3 of the size asked for."
  }

  assert {
    condition = jsondecode(aws_iam_role_policy.secret.policy).Statement == [{
      Effect   = "Allow"
      Action   = "secretsmanager:GetSecretValue"
      Resource = "arn:aws:secretsmanager:us-east-1:123456789012:secret:blue/environments/shop-??????"
    }]
    error_message = "A host reads its environment's secret and no other."
  }

  assert {
    condition = jsondecode(aws_iam_role_policy.leaving.policy).Statement == [{
      Effect    = "Allow"
      Action    = "ec2:DescribeInstances"
      Resource  = "*"
      Condition = { StringEquals = { "aws:RequestedRegion" = "us-east-1" } }
    }]
    error_message = "A host may ask what becomes of its machine, and change nothing."
  }

  assert {
    condition     = keys(aws_iam_role_policy_attachment.machine) == ["AmazonEC2ContainerRegistryPullOnly"]
    error_message = "Of AWS's own policies a host has the one for pulling images."
  }

  assert {
    condition = jsondecode(aws_iam_role_policy.session.policy).Statement[*].Action == [[
      "ssm:UpdateInstanceInformation",
      "ssmmessages:CreateControlChannel",
      "ssmmessages:CreateDataChannel",
      "ssmmessages:OpenControlChannel",
      "ssmmessages:OpenDataChannel",
    ]]
    error_message = "A host answers Session Manager, and reads no parameter."
  }

  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.observability.policy).Statement :
      try(statement.Condition.StringEquals["cloudwatch:namespace"], statement.Resource)
    ] == ["arn:aws:logs:${var.region}:${var.account_id}:log-group:corral/*", "corral", "*"]
    error_message = "A host sends logs and metrics under corral's own names only, and reads tags."
  }
}

run "user_data_configures_join" {
  command = plan

  assert {
    condition     = startswith(base64decode(aws_launch_template.machine.user_data), "#cloud-config\n")
    error_message = "User data is a cloud-config."
  }

  assert {
    condition = (
      yamldecode(base64decode(aws_launch_template.machine.user_data)).runcmd
      == [["systemctl", "enable", "--now", "--no-block", "corral-join.service"]]
    )
    error_message = "User data starts the service and does nothing else."
  }

  assert {
    condition = (
      jsondecode(yamldecode(base64decode(aws_launch_template.machine.user_data)).write_files[0].content) == {
        region      = "us-east-1"
        rancher_url = "https://rancher.example.com"
        secret_id   = "blue/environments/shop"
        environment = "shop"
        labels      = { network = "external", role = "frontend", env = "shop" }
        deadline_s  = 600
      }
    )
    error_message = "User data says where to join, as what, and where the key lies."
  }
}

run "cpu_pool_tracks_its_target" {
  command = plan

  assert {
    condition = (
      aws_autoscaling_policy.cpu["cpu"].target_tracking_configuration[0].target_value == 60
      && aws_autoscaling_policy.cpu["cpu"].target_tracking_configuration[0].predefined_metric_specification[0].predefined_metric_type == "ASGAverageCPUUtilization"
    )
    error_message = "The pool keeps its mean CPU use at the target."
  }

  assert {
    condition     = length(aws_autoscaling_policy.queue) + length(aws_cloudwatch_metric_alarm.queue) + length(aws_autoscaling_schedule.hosts) == 0
    error_message = "It follows nothing else."
  }
}

run "queue_pool_follows_what_waits" {
  command = plan

  variables {
    scaling = { kind = "queue", queue_name = "celery", messages_per_host = 100 }
  }

  assert {
    condition     = keys(aws_autoscaling_policy.queue) == ["in", "out"] && keys(aws_cloudwatch_metric_alarm.queue) == ["in", "out"]
    error_message = "One policy with its alarm for each direction."
  }

  assert {
    condition = alltrue([
      for alarm in values(aws_cloudwatch_metric_alarm.queue) :
      alarm.namespace == "AWS/SQS" && alarm.metric_name == "ApproximateNumberOfMessagesVisible" && alarm.dimensions == tomap({ QueueName = "celery" })
    ])
    error_message = "Both alarms watch the pool's queue."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.queue["out"].threshold == 200 && aws_cloudwatch_metric_alarm.queue["in"].threshold == 100
    error_message = "The pool grows over what its minimum of two is worth, and shrinks under half of that."
  }

  assert {
    condition = { for way, policy in aws_autoscaling_policy.queue : way => toset(policy.step_adjustment[*].scaling_adjustment) } == {
      in  = toset([-1])
      out = toset([1, 2, 5])
    }
    error_message = "It grows by what waits, and shrinks one by one."
  }

  assert {
    condition     = length(aws_autoscaling_policy.cpu) + length(aws_autoscaling_schedule.hosts) == 0
    error_message = "It follows nothing else."
  }
}

run "pool_with_a_minimum_needs_no_waking" {
  command = plan

  variables {
    scaling = { kind = "queue", queue_name = "celery", messages_per_host = 100 }
  }

  assert {
    condition     = length(aws_autoscaling_policy.wake) + length(aws_cloudwatch_metric_alarm.wake) == 0
    error_message = "Somebody is always there."
  }
}

run "empty_pool_wakes_for_one_message" {
  command = plan

  variables {
    minimum = 0
    scaling = { kind = "queue", queue_name = "celery", messages_per_host = 100 }
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.wake["wake"].comparison_operator == "GreaterThanThreshold"
      && aws_cloudwatch_metric_alarm.wake["wake"].threshold == 0
      && one([
        for query in aws_cloudwatch_metric_alarm.wake["wake"].metric_query : query.expression if query.return_data == true
      ]) == "IF(hosts < 1, waiting, 0)"
    )
    error_message = "One message is enough when there is no host."
  }

  assert {
    condition     = one(aws_autoscaling_policy.wake["wake"].step_adjustment[*].scaling_adjustment) == 1
    error_message = "One host comes for it."
  }

  assert {
    condition     = contains(aws_autoscaling_group.hosts.enabled_metrics, "GroupDesiredCapacity")
    error_message = "The group tells how many hosts there are."
  }

  assert {
    condition     = aws_cloudwatch_metric_alarm.queue["out"].threshold == 100
    error_message = "The second host comes when more waits than one is worth."
  }

  assert {
    condition = (
      aws_cloudwatch_metric_alarm.queue["in"].comparison_operator == "LessThanThreshold"
      && aws_cloudwatch_metric_alarm.queue["in"].threshold == 1
      && aws_cloudwatch_metric_alarm.queue["in"].statistic == "Maximum"
    )
    error_message = "The pool shrinks only when nothing waits at all."
  }
}

run "scheduled_pool_keeps_its_times" {
  command = plan

  variables {
    scaling = {
      kind      = "schedule"
      time_zone = "Europe/Berlin"
      actions = [
        { name = "night", cron = "0 22 * * *", desired = 4 },
        { name = "day", cron = "0 6 * * *", desired = 2 },
      ]
    }
  }

  assert {
    condition = (
      { for name, action in aws_autoscaling_schedule.hosts : name => "${action.recurrence} ${action.time_zone}: ${action.desired_capacity}" }
      == { night = "0 22 * * * Europe/Berlin: 4", day = "0 6 * * * Europe/Berlin: 2" }
    )
    error_message = "The pool takes each size at its time."
  }

  assert {
    condition     = alltrue([for action in aws_autoscaling_schedule.hosts : action.min_size == -1 && action.max_size == -1])
    error_message = "It keeps its bounds meanwhile."
  }

  assert {
    condition     = length(aws_autoscaling_policy.cpu) + length(aws_autoscaling_policy.queue) + length(aws_cloudwatch_metric_alarm.queue) == 0
    error_message = "It follows nothing else."
  }
}

run "leaving_machine_is_held_and_told_of" {
  command = plan

  assert {
    condition = (
      aws_autoscaling_lifecycle_hook.drain.lifecycle_transition == "autoscaling:EC2_INSTANCE_TERMINATING"
      && aws_autoscaling_lifecycle_hook.drain.default_result == "CONTINUE"
      && aws_autoscaling_lifecycle_hook.drain.heartbeat_timeout == 600
    )
    error_message = "A machine has the time for draining, and goes after it."
  }

  assert {
    condition = { for name, rule in aws_cloudwatch_event_rule.drain : name => jsondecode(rule.event_pattern).detail } == {
      terminating = { AutoScalingGroupName = ["blue-web"] }
    }
    error_message = "Only this group's terminations are told of."
  }

  assert {
    condition = (
      aws_sqs_queue.terminations.sqs_managed_sse_enabled
      && aws_sqs_queue.failed.sqs_managed_sse_enabled
      && aws_sqs_queue.terminations.receive_wait_time_seconds == 20
    )
    error_message = "Messages are encrypted, and their reader waits for them."
  }
}

run "spot_pool_hears_of_interruptions" {
  command = plan

  variables {
    spot_percent = 75
  }

  assert {
    condition = (
      aws_autoscaling_group.hosts.mixed_instances_policy[0].instances_distribution[0].on_demand_percentage_above_base_capacity == 25
      && aws_autoscaling_group.hosts.mixed_instances_policy[0].instances_distribution[0].on_demand_base_capacity == 0
      && aws_autoscaling_group.hosts.capacity_rebalance
    )
    error_message = "Three quarters of the hosts are spot instances."
  }

  assert {
    condition     = keys(aws_cloudwatch_event_rule.drain) == ["spot-interruption", "terminating"]
    error_message = "What AWS takes back is told of, too."
  }
}

run "unknown_scaling_is_refused" {
  command = plan

  variables {
    scaling = { kind = "moon" }
  }

  expect_failures = [var.scaling]
}

run "queue_scaling_without_a_queue_is_refused" {
  command = plan

  variables {
    scaling = { kind = "queue", messages_per_host = 100 }
  }

  expect_failures = [var.scaling]
}

run "scheduled_size_out_of_bounds_is_refused" {
  command = plan

  variables {
    scaling = {
      kind      = "schedule"
      time_zone = "UTC"
      actions   = [{ name = "night", cron = "0 22 * * *", desired = 7 }]
    }
  }

  expect_failures = [var.scaling]
}

run "minimum_over_maximum_is_refused" {
  command = plan

  variables {
    minimum = 7
  }

  expect_failures = [var.maximum]
}

run "name_that_the_cluster_file_refuses_is_refused" {
  command = plan

  variables {
    pool = "web--1"
  }

  expect_failures = [var.pool]
}

run "label_of_corral_is_refused" {
  command = plan

  variables {
    labels = { "aws.instance_id" = "i-1" }
  }

  expect_failures = [var.labels]
}

run "secret_of_the_administrator_is_refused" {
  command = plan

  variables {
    environment_secret = "blue/rancher/admin"
  }

  expect_failures = [var.environment_secret]
}
