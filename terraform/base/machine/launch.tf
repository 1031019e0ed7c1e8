locals {
  # Only configures what the image holds: one file, one service, no script and no secret
  user_data = join("\n", ["#cloud-config", yamlencode({
    write_files = [{
      path        = "/etc/corral/node.json"
      owner       = "root:root"
      permissions = "0644"
      content     = jsonencode(local.machine.config)
    }]
    # --no-block, since the service waits for others and cloud-init would wait with it
    runcmd = [["systemctl", "enable", "--now", "--no-block", local.machine.service]]
  })])
}

# How a machine starts
resource "aws_launch_template" "machine" {
  name                   = local.machine.name
  description            = "Machines of ${local.machine.name}"
  update_default_version = true

  image_id      = data.aws_ami.machine.id
  instance_type = var.instance_type
  user_data     = base64encode(local.user_data)

  # network
  vpc_security_group_ids = [local.machine.group_id]

  # identity
  iam_instance_profile {
    arn = aws_iam_instance_profile.machine.arn
  }

  # One hop ends at the machine itself and at containers on its own network: a container on a
  # bridge, which may be anybody's, cannot take the machine's role.
  metadata_options {
    http_endpoint               = "enabled"
    http_tokens                 = "required"
    http_put_response_hop_limit = 1
  }

  # Every minute instead of every five, for whoever scales or looks at these machines
  monitoring {
    enabled = true
  }

  # storage
  block_device_mappings {
    device_name = data.aws_ami.machine.root_device_name

    ebs {
      volume_type           = "gp3"
      volume_size           = var.volume_gib
      encrypted             = true
      delete_on_termination = true
    }
  }

  # The group tags instances, nobody else tags their volumes
  tag_specifications {
    resource_type = "volume"
    tags          = local.machine.tags
  }
}
