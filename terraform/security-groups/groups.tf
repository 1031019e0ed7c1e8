locals {
  stack = "security-groups"

  web_ports = toset(["443", "80"])
}

# The front door: stands before Rancher's servers
resource "aws_security_group" "load_balancer" {
  #checkov:skip=CKV2_AWS_5:The control-plane stack attaches it
  name        = "${var.cluster}-load-balancer"
  description = "Load balancer of ${var.cluster}"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.cluster}-load-balancer" }
}

# The machines that run Rancher's servers
resource "aws_security_group" "control" {
  #checkov:skip=CKV2_AWS_5:The control-plane stack attaches it
  name        = "${var.cluster}-control"
  description = "Rancher servers of ${var.cluster}"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.cluster}-control" }
}

# The machines that run containers
resource "aws_security_group" "hosts" {
  #checkov:skip=CKV2_AWS_5:The host-pool stack attaches it
  name        = "${var.cluster}-hosts"
  description = "Container hosts of ${var.cluster}"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.cluster}-hosts" }
}

# Rancher's database; it has no rule outwards, since it never begins to talk
resource "aws_security_group" "database" {
  #checkov:skip=CKV2_AWS_5:The database stack attaches it
  name        = "${var.cluster}-database"
  description = "Database of ${var.cluster}"
  vpc_id      = var.vpc_id

  tags = { Name = "${var.cluster}-database" }
}
