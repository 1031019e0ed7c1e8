# The one machine image of a cluster: control nodes and hosts start from it.
# Written for Packer 1.6.6, which Debian brings; newer ones read it too, given their plugins.

source "amazon-ebs" "node" {
  region              = var.region
  custom_endpoint_ec2 = var.custom_endpoint_ec2

  # from what, to what
  source_ami      = var.source_image
  ami_name        = var.image_name
  ami_description = "Control nodes and hosts of Rancher 1.6, baked by corral"
  tags            = var.image_tags
  snapshot_tags   = var.image_tags

  launch_block_device_mappings {
    device_name           = "/dev/xvda"
    volume_type           = "gp3"
    volume_size           = var.volume_gib
    iops                  = 3000
    throughput            = 125
    encrypted             = true
    kms_key_id            = var.kms_key_id
    delete_on_termination = true
  }

  # the builder
  instance_type                         = var.instance_type
  vpc_id                                = var.vpc_id
  subnet_id                             = var.subnet_id
  associate_public_ip_address           = var.associate_public_ip_address
  temporary_security_group_source_cidrs = var.source_cidrs
  shutdown_behavior                     = "terminate"
  run_tags                              = var.run_tags
  run_volume_tags                       = var.run_tags

  # the way onto it
  communicator  = "ssh"
  ssh_username  = "admin"
  ssh_interface = var.ssh_interface
  ssh_host      = var.ssh_host
  ssh_port      = var.ssh_port
  ssh_timeout   = var.ssh_timeout

  # An image of this size is there in ten minutes at most; four times as much, then it is given up.
  aws_polling {
    delay_seconds = 15
    max_attempts  = 160
  }
}

build {
  sources = ["source.amazon-ebs.node"]

  # cloud-init writes the sources of apt and the keys of SSH at first boot; apt is its own until then.
  provisioner "shell" {
    inline  = ["cloud-init status --wait"]
    timeout = "10m"
  }

  # Straight by SSH: Packer's own proxy offers a host key that today's OpenSSH refuses.
  provisioner "ansible" {
    command         = var.ansible_playbook
    playbook_file   = "${path.root}/playbook.yml"
    user            = "admin"
    use_proxy       = false
    extra_arguments = ["--extra-vars", "@${var.playbook_variables}"]
    ansible_env_vars = [
      "ANSIBLE_CONFIG=${path.root}/ansible.cfg",
      "ANSIBLE_NOCOLOR=1",
    ]
    timeout = "40m"
  }
}
