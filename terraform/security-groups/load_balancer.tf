locals {
  # Who may open Rancher's pages: 80 only ever answers with a redirect to 443
  visitors = distinct(concat(var.admin_cidrs, [for address in var.nat_public_ips : "${address}/32"], var.load_balancer_open ? ["0.0.0.0/0"] : []))
  visits   = { for pair in setproduct(local.visitors, local.web_ports) : "${pair[1]} from ${pair[0]}" => { cidr = pair[0], port = tonumber(pair[1]) } }
}

# People and their tools, and hosts that reach an internet-facing load balancer through NAT
resource "aws_vpc_security_group_ingress_rule" "load_balancer_from_visitors" {
  for_each = local.visits

  security_group_id = aws_security_group.load_balancer.id
  description       = "Web ${each.key}"
  cidr_ipv4         = each.value.cidr
  ip_protocol       = "tcp"
  from_port         = each.value.port
  to_port           = each.value.port

  tags = { Name = "${var.cluster}-web-${each.value.port}" }
}

# Hosts that reach an internal load balancer under their own addresses
resource "aws_vpc_security_group_ingress_rule" "load_balancer_from_hosts" {
  #checkov:skip=CKV_AWS_260:The source is the hosts' group; the check takes a rule without a range for one that is open to everybody
  for_each = local.web_ports

  security_group_id            = aws_security_group.load_balancer.id
  description                  = "Web ${each.key} from the hosts"
  referenced_security_group_id = aws_security_group.hosts.id
  ip_protocol                  = "tcp"
  from_port                    = tonumber(each.key)
  to_port                      = tonumber(each.key)

  tags = { Name = "${var.cluster}-hosts-${each.key}" }
}

# Requests and health checks go on to Rancher's servers, and nowhere else
resource "aws_vpc_security_group_egress_rule" "load_balancer_to_control" {
  security_group_id            = aws_security_group.load_balancer.id
  description                  = "Rancher on the control nodes"
  referenced_security_group_id = aws_security_group.control.id
  ip_protocol                  = "tcp"
  from_port                    = 8080
  to_port                      = 8080

  tags = { Name = "${var.cluster}-load-balancer-to-control" }
}
