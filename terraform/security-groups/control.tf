locals {
  # What servers of one cluster say to each other: the API and its proxied streams, and membership
  cluster_ports = { "api" = 8080, "membership" = 9345 }
}

# Only the load balancer brings requests from outside
resource "aws_vpc_security_group_ingress_rule" "control_from_load_balancer" {
  security_group_id            = aws_security_group.control.id
  description                  = "Rancher from the load balancer"
  referenced_security_group_id = aws_security_group.load_balancer.id
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080

  tags = { Name = "${var.cluster}-control-from-load-balancer" }
}

# Servers hear each other
resource "aws_vpc_security_group_ingress_rule" "control_from_control" {
  for_each = local.cluster_ports

  security_group_id            = aws_security_group.control.id
  description                  = "Rancher ${each.key} from the other control nodes"
  referenced_security_group_id = aws_security_group.control.id
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value

  tags = { Name = "${var.cluster}-control-${each.key}" }
}

# Servers talk to each other
resource "aws_vpc_security_group_egress_rule" "control_to_control" {
  for_each = local.cluster_ports

  security_group_id            = aws_security_group.control.id
  description                  = "Rancher ${each.key} of the other control nodes"
  referenced_security_group_id = aws_security_group.control.id
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value

  tags = { Name = "${var.cluster}-control-${each.key}" }
}

# Everything that Rancher knows is in its database
resource "aws_vpc_security_group_egress_rule" "control_to_database" {
  security_group_id            = aws_security_group.control.id
  description                  = "MySQL"
  referenced_security_group_id = aws_security_group.database.id
  ip_protocol                  = "tcp"
  from_port                    = 3306
  to_port                      = 3306

  tags = { Name = "${var.cluster}-control-to-database" }
}

# Images, catalogs, packages and the AWS API, whose addresses are anybody's guess
resource "aws_vpc_security_group_egress_rule" "control_to_web" {
  for_each = local.web_ports

  security_group_id = aws_security_group.control.id
  description       = "Images, catalogs, packages and AWS on ${each.key}"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "tcp"
  from_port         = tonumber(each.key)
  to_port           = tonumber(each.key)

  tags = { Name = "${var.cluster}-control-to-web-${each.key}" }
}
