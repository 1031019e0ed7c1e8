mock_provider "aws" {
  mock_data "aws_acm_certificate" {
    defaults = { arn = "arn:aws:acm:us-east-1:123456789012:certificate/found" }
  }

  mock_data "aws_ami" {
    defaults = { id = "ami-newest", root_device_name = "/dev/xvda" }
  }

  mock_data "aws_route53_zone" {
    defaults = { zone_id = "ZONE" }
  }
}

variables {
  cluster    = "blue"
  account_id = "123456789012"
  region     = "us-east-1"

  vpc_id                 = "vpc-1"
  public_subnet_ids      = ["subnet-public-a", "subnet-public-b", "subnet-public-c"]
  private_subnet_ids     = ["subnet-private-a", "subnet-private-b", "subnet-private-c"]
  load_balancer_group_id = "sg-front"
  control_group_id       = "sg-control"

  dns_zone            = "example.com"
  dns_name            = "rancher.example.com"
  certificate         = "find"
  internal            = false
  deletion_protection = true
  access_logs         = false

  control_count = 3
  instance_type = "m5.large"
  image_name    = "corral-node-*"
  volume_gib    = 30
  server_image  = "rancher/server:v1.6.30"

  database_host       = "rancher-db.example.com"
  database_port       = 3306
  database_name       = "rancher"
  database_username   = "rancher"
  database_secret_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:blue/database-AbCdEf"
}

run "front_door_ends_tls_for_rancher" {
  command = plan

  assert {
    condition     = aws_lb.rancher.idle_timeout == 900 && aws_lb.rancher.drop_invalid_header_fields && aws_lb.rancher.enable_deletion_protection
    error_message = "The load balancer keeps quiet WebSockets, drops invalid headers and cannot be deleted by accident."
  }

  assert {
    condition     = aws_lb_listener.http.port == 80 && aws_lb_listener.http.default_action[0].redirect[0].protocol == "HTTPS"
    error_message = "Port 80 only sends people to HTTPS."
  }

  assert {
    condition     = aws_lb_listener.https.port == 443 && aws_lb_listener.https.ssl_policy == "ELBSecurityPolicy-TLS13-1-2-2021-06"
    error_message = "Port 443 speaks TLS 1.2 and newer only."
  }

  assert {
    condition = (
      aws_route53_record.rancher.name == "rancher.example.com"
      && aws_route53_record.rancher.type == "A"
      && aws_route53_record.rancher.zone_id == "ZONE"
      && output.url == "https://rancher.example.com"
    )
    error_message = "The cluster's name leads to its load balancer."
  }
}

run "nodes_are_asked_for_ping" {
  command = plan

  assert {
    condition     = aws_lb_target_group.rancher.port == 8080 && aws_lb_target_group.rancher.protocol == "HTTP"
    error_message = "Rancher listens on 8080."
  }

  assert {
    condition = (
      aws_lb_target_group.rancher.health_check[0].path == "/ping"
      && aws_lb_target_group.rancher.health_check[0].matcher == "200"
      && aws_lb_target_group.rancher.health_check[0].interval == 10
      && aws_lb_target_group.rancher.health_check[0].timeout == 5
      && aws_lb_target_group.rancher.health_check[0].healthy_threshold == 2
      && aws_lb_target_group.rancher.health_check[0].unhealthy_threshold == 2
    )
    error_message = "A node is up after two answers to /ping, and down after two that failed."
  }
}

run "group_begins_with_one_node" {
  command = plan

  assert {
    condition = (
      aws_autoscaling_group.control.name == "blue-control"
      && aws_autoscaling_group.control.min_size == 1
      && aws_autoscaling_group.control.desired_capacity == 1
      && aws_autoscaling_group.control.max_size == 3
    )
    error_message = "The first server is alone on the empty database, and there is room for all."
  }

  assert {
    condition = (
      aws_autoscaling_group.control.health_check_type == "ELB"
      && aws_autoscaling_group.control.health_check_grace_period == 900
      && aws_autoscaling_group.control.wait_for_capacity_timeout == "0"
    )
    error_message = "Nodes are judged by the load balancer, after Rancher's slow start."
  }

  assert {
    condition = (
      aws_autoscaling_group.control.instance_maintenance_policy[0].min_healthy_percentage == 66
      && aws_autoscaling_group.control.instance_maintenance_policy[0].max_healthy_percentage == 100
      && aws_autoscaling_group.control.default_instance_warmup == 300
    )
    error_message = "Servers that all fail at once are not all taken away at once."
  }

  assert {
    condition     = toset(aws_autoscaling_group.control.vpc_zone_identifier) == toset(var.private_subnet_ids)
    error_message = "Nodes are spread over all private subnets."
  }

  assert {
    condition = (
      { for tag in aws_autoscaling_group.control.tag : tag.key => tag.value }
      == { Name = "blue-control", Cluster = "blue", Stack = "control-plane", ManagedBy = "corral" }
      && alltrue(aws_autoscaling_group.control.tag[*].propagate_at_launch)
    )
    error_message = "Nodes carry the tags that the group carries."
  }
}

run "machine_starts_closed" {
  command = plan

  assert {
    condition = (
      aws_launch_template.machine.metadata_options[0].http_tokens == "required"
      && aws_launch_template.machine.metadata_options[0].http_put_response_hop_limit == 1
    )
    error_message = "The machine's role is given to token holders on the machine only."
  }

  assert {
    condition = (
      aws_launch_template.machine.block_device_mappings[0].device_name == "/dev/xvda"
      && aws_launch_template.machine.block_device_mappings[0].ebs[0].encrypted == "true"
      && aws_launch_template.machine.block_device_mappings[0].ebs[0].volume_type == "gp3"
      && aws_launch_template.machine.block_device_mappings[0].ebs[0].volume_size == 30
    )
    error_message = "The root volume is encrypted gp3 of the size asked for."
  }

  assert {
    condition     = aws_launch_template.machine.image_id == "ami-newest" && output.image_id == "ami-newest"
    error_message = "The machine starts from the image that was found."
  }

  assert {
    condition = (
      jsondecode(aws_iam_role_policy.secret.policy).Statement
      == [{ Effect = "Allow", Action = "secretsmanager:GetSecretValue", Resource = var.database_secret_arn }]
    )
    error_message = "The machine reads the database's secret and no other."
  }

  assert {
    condition     = keys(aws_iam_role_policy_attachment.machine) == ["AmazonEC2ContainerRegistryPullOnly"]
    error_message = "Of AWS's own policies the machine has the one for pulling images."
  }

  assert {
    condition = jsondecode(aws_iam_role_policy.session.policy).Statement[*].Action == [[
      "ssm:UpdateInstanceInformation",
      "ssmmessages:CreateControlChannel",
      "ssmmessages:CreateDataChannel",
      "ssmmessages:OpenControlChannel",
      "ssmmessages:OpenDataChannel",
    ]]
    error_message = "The machine answers Session Manager, and reads no parameter."
  }

  assert {
    condition = [
      for statement in jsondecode(aws_iam_role_policy.observability.policy).Statement :
      try(statement.Condition.StringEquals["cloudwatch:namespace"], statement.Resource)
    ] == ["arn:aws:logs:${var.region}:${var.account_id}:log-group:corral/*", "corral", "*"]
    error_message = "The machine sends logs and metrics under corral's own names only, and reads tags."
  }
}

run "user_data_configures_serve" {
  command = plan

  assert {
    condition     = startswith(base64decode(aws_launch_template.machine.user_data), "#cloud-config\n")
    error_message = "User data is a cloud-config."
  }

  assert {
    condition = (
      yamldecode(base64decode(aws_launch_template.machine.user_data)).runcmd
      == [["systemctl", "enable", "--now", "--no-block", "corral-serve.service"]]
    )
    error_message = "User data starts the service and does nothing else."
  }

  assert {
    condition = (
      yamldecode(base64decode(aws_launch_template.machine.user_data)).write_files[0].path == "/etc/corral/node.json"
      && jsondecode(yamldecode(base64decode(aws_launch_template.machine.user_data)).write_files[0].content) == {
        region = "us-east-1"
        image  = "rancher/server:v1.6.30"
        database = {
          host      = "rancher-db.example.com"
          port      = 3306
          name      = "rancher"
          username  = "rancher"
          secret_id = var.database_secret_arn
        }
      }
    )
    error_message = "User data says where the database is and where its password lies, not what it is."
  }
}

run "found_certificate_is_used" {
  command = plan

  assert {
    condition     = aws_lb_listener.https.certificate_arn == "arn:aws:acm:us-east-1:123456789012:certificate/found"
    error_message = "The listener takes the certificate that was found."
  }

  assert {
    condition     = length(aws_acm_certificate.made) == 0 && length(aws_route53_record.validation) == 0
    error_message = "None is made then."
  }
}

run "certificate_is_made_and_validated" {
  command = plan

  variables {
    certificate = "create"
  }

  assert {
    condition = (
      aws_acm_certificate.made["rancher.example.com"].validation_method == "DNS"
      && length(aws_route53_record.validation) == 1
      && length(aws_acm_certificate_validation.made) == 1
    )
    error_message = "A certificate is made for the name and proven by DNS."
  }

  assert {
    condition     = length(data.aws_acm_certificate.found) == 0
    error_message = "None is looked up then."
  }
}

run "internal_front_door_stands_in_private_subnets" {
  command = plan

  variables {
    internal = true
  }

  assert {
    condition     = aws_lb.rancher.internal && aws_lb.rancher.subnets == toset(var.private_subnet_ids)
    error_message = "An internal load balancer has no public subnet."
  }
}

run "no_bucket_without_access_logs" {
  command = plan

  assert {
    condition     = length(aws_s3_bucket.access_logs) == 0 && length(aws_lb.rancher.access_logs) == 0
    error_message = "Nobody asked for access logs."
  }
}

run "access_logs_are_kept_closed" {
  command = plan

  variables {
    access_logs = true
  }

  assert {
    condition     = keys(aws_s3_bucket.access_logs) == ["blue-access-logs-123456789012"] && aws_lb.rancher.access_logs[0].enabled
    error_message = "The load balancer writes into a bucket of the cluster's own."
  }

  assert {
    condition = (
      aws_s3_bucket_public_access_block.access_logs["blue-access-logs-123456789012"].restrict_public_buckets
      && length(aws_s3_bucket_server_side_encryption_configuration.access_logs) == 1
      && length(aws_s3_bucket_lifecycle_configuration.access_logs) == 1
      && length(aws_s3_bucket_policy.access_logs) == 1
    )
    error_message = "The bucket is private, encrypted, forgets in time and has a policy."
  }
}

run "even_number_of_nodes_is_refused" {
  command = plan

  variables {
    control_count = 4
  }

  expect_failures = [var.control_count]
}

run "name_outside_the_zone_is_refused" {
  command = plan

  variables {
    dns_name = "rancher.example.org"
  }

  expect_failures = [var.dns_name]
}

run "one_subnet_is_refused" {
  command = plan

  variables {
    private_subnet_ids = ["subnet-private-a"]
  }

  expect_failures = [var.private_subnet_ids]
}

run "moving_tag_is_refused" {
  command = plan

  variables {
    server_image = "rancher/server:stable"
  }

  expect_failures = [var.server_image]
}

run "secret_with_a_wildcard_is_refused" {
  command = plan

  variables {
    database_secret_arn = "arn:aws:secretsmanager:us-east-1:123456789012:secret:blue/*"
  }

  expect_failures = [var.database_secret_arn]
}
