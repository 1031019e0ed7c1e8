locals {
  stack = "host-pool"
  name  = "${var.cluster}-${var.pool}"

  # What base/machine makes of them
  machine = {
    name       = local.name
    group_id   = var.hosts_group_id
    secret_arn = "arn:aws:secretsmanager:${var.region}:${var.account_id}:secret:${var.environment_secret}-??????"
    policies   = toset(["AmazonEC2ContainerRegistryPullOnly"])
    tags       = merge(local.tags, { Name = local.name, Pool = var.pool, Role = var.role })

    # What the image's program reads: where the key lies, never what it is
    service = "corral-join.service"
    config = {
      region      = var.region
      rancher_url = var.rancher_url
      secret_id   = var.environment_secret
      environment = var.environment
      labels      = merge(var.labels, { role = var.role, env = var.environment })
      # A host that did not join by then says so, and gives up
      deadline_s = 600
    }
  }
}

# The pool's container hosts, spread over the zones
resource "aws_autoscaling_group" "hosts" {
  name = local.name

  # Between the two the pool's scaling decides, and Terraform leaves it alone
  min_size         = var.minimum
  desired_capacity = var.minimum
  max_size         = var.maximum

  # network
  vpc_zone_identifier = var.private_subnet_ids

  # What a host may be good for is Rancher's to say; the group replaces dead machines only
  health_check_type = "EC2"

  # boot
  mixed_instances_policy {
    launch_template {
      launch_template_specification {
        launch_template_id = aws_launch_template.machine.id
        version            = aws_launch_template.machine.latest_version
      }
    }

    # cost
    instances_distribution {
      on_demand_base_capacity                  = 0
      on_demand_percentage_above_base_capacity = 100 - var.spot_percent
      # The cheapest of those that AWS will hardly want back
      spot_allocation_strategy = "price-capacity-optimized"
    }
  }

  # What wakes an empty pool has to know that it is empty
  enabled_metrics = local.may_sleep ? ["GroupDesiredCapacity"] : null

  # A spot host that AWS may soon want back is replaced before it goes, not after
  capacity_rebalance = var.spot_percent > 0

  # The flow waits for the hosts in Rancher itself. Waiting here as well would
  # hold the state's lock for minutes and hide which host is late.
  wait_for_capacity_timeout = "0"

  dynamic "tag" {
    for_each = local.machine.tags

    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = true
    }
  }

  # Where the group is replaced its hook still holds each machine until it is drained. At the end
  # of the pool the hook goes before the group, and destroy-cluster has drained the hosts by then
  timeouts {
    delete = "${var.drain_timeout_s + 600}s"
  }

  # A host that boots before it may read its secret fails
  depends_on = [
    aws_iam_role_policy.secret,
    aws_iam_role_policy.session,
    aws_iam_role_policy_attachment.machine,
  ]

  lifecycle {
    ignore_changes = [desired_capacity]
  }
}
