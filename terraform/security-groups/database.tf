# Rancher's servers keep everything here
resource "aws_vpc_security_group_ingress_rule" "database_from_control" {
  security_group_id            = aws_security_group.database.id
  description                  = "MySQL from the control nodes"
  referenced_security_group_id = aws_security_group.control.id
  ip_protocol                  = "tcp"
  from_port                    = 3306
  to_port                      = 3306

  tags = { Name = "${var.cluster}-database-from-control" }
}

# People with a client, over a connected network and only if the cluster file says so
resource "aws_vpc_security_group_ingress_rule" "database_from_admins" {
  for_each = var.database_admin_access ? toset(var.admin_cidrs) : toset([])

  security_group_id = aws_security_group.database.id
  description       = "MySQL from ${each.key}"
  cidr_ipv4         = each.key
  ip_protocol       = "tcp"
  from_port         = 3306
  to_port           = 3306

  tags = { Name = "${var.cluster}-database-from-admins" }
}
