locals {
  stack = "control-plane"

  # What base/machine makes of them
  machine = {
    name       = "${var.cluster}-control"
    group_id   = var.control_group_id
    secret_arn = var.database_secret_arn
    policies   = toset(["AmazonEC2ContainerRegistryPullOnly"])
    tags       = merge(local.tags, { Name = "${var.cluster}-control" })

    # What the image's program reads: where the password lies, never what it is
    service = "corral-serve.service"
    config = {
      region = var.region
      image  = var.server_image
      database = {
        host      = var.database_host
        port      = var.database_port
        name      = var.database_name
        username  = var.database_username
        secret_id = var.database_secret_arn
      }
    }
  }
}

# Rancher's servers, spread over the zones; a dead one comes back by itself
resource "aws_autoscaling_group" "control" {
  name = local.machine.name

  # Rancher wants its first server alone on an empty database. The flow raises both to
  # control_count once that one is proven, and Terraform leaves them there.
  min_size         = 1
  desired_capacity = 1
  max_size         = var.control_count

  # network
  vpc_zone_identifier = var.private_subnet_ids
  target_group_arns   = [aws_lb_target_group.rancher.arn]

  # boot
  launch_template {
    id      = aws_launch_template.machine.id
    version = aws_launch_template.machine.latest_version
  }

  # A server refuses connections until its database is migrated and its web layer up, which takes
  # a quarter of an hour at worst: replaced before, it would never get there.
  health_check_type         = "ELB"
  health_check_grace_period = 900

  # A failover of the database makes all servers restart at once, and the load balancer calls all of
  # them unhealthy. Two of three, or four of five, stay until others are well: none is taken away
  # before new ones have come, and by then the old ones are mostly back.
  instance_maintenance_policy {
    min_healthy_percentage = 66
    max_healthy_percentage = 100
  }

  # A new server counts among the well ones once it had this long to start on a full database
  default_instance_warmup = 300

  # The flow waits on /ping itself. Waiting here as well would hold the
  # state's lock for minutes and hide which node is late.
  wait_for_capacity_timeout = "0"

  dynamic "tag" {
    for_each = local.machine.tags

    content {
      key                 = tag.key
      value               = tag.value
      propagate_at_launch = true
    }
  }

  # A node that boots before it may read its secret fails
  depends_on = [
    aws_iam_role_policy.secret,
    aws_iam_role_policy.session,
    aws_iam_role_policy_attachment.machine,
  ]

  # An upgrade keeps the group from replacing a server that migrates the database, and lets it again
  lifecycle {
    ignore_changes = [min_size, desired_capacity, suspended_processes]
  }
}
