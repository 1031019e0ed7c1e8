locals {
  # IPsec, by which Rancher joins the containers of all hosts into one network
  ipsec_ports = { "key exchange" = 500, "tunnel" = 4500 }
}

# The overlay network, coming in
resource "aws_vpc_security_group_ingress_rule" "hosts_from_hosts" {
  for_each = local.ipsec_ports

  security_group_id            = aws_security_group.hosts.id
  description                  = "IPsec ${each.key} from the other hosts"
  referenced_security_group_id = aws_security_group.hosts.id
  ip_protocol                  = "udp"
  from_port                    = each.value
  to_port                      = each.value

  tags = { Name = "${var.cluster}-hosts-ipsec-${each.value}" }
}

# The overlay network, going out
resource "aws_vpc_security_group_egress_rule" "hosts_to_hosts" {
  for_each = local.ipsec_ports

  security_group_id            = aws_security_group.hosts.id
  description                  = "IPsec ${each.key} of the other hosts"
  referenced_security_group_id = aws_security_group.hosts.id
  ip_protocol                  = "udp"
  from_port                    = each.value
  to_port                      = each.value

  tags = { Name = "${var.cluster}-hosts-ipsec-${each.value}" }
}

# Agents hold their connection to Rancher here, whatever becomes of the rule below
resource "aws_vpc_security_group_egress_rule" "hosts_to_load_balancer" {
  security_group_id            = aws_security_group.hosts.id
  description                  = "Rancher behind the load balancer"
  referenced_security_group_id = aws_security_group.load_balancer.id
  ip_protocol                  = "tcp"
  from_port                    = 443
  to_port                      = 443

  tags = { Name = "${var.cluster}-hosts-to-load-balancer" }
}

# What the containers on a host ask the world for
resource "aws_vpc_security_group_egress_rule" "hosts_to_world" {
  #checkov:skip=CKV_AWS_382:Crawlers and workers talk to whatever their owners point them at, on ports that nobody here can list
  security_group_id = aws_security_group.hosts.id
  description       = "Whatever the containers need"
  cidr_ipv4         = "0.0.0.0/0"
  ip_protocol       = "-1"

  tags = { Name = "${var.cluster}-hosts-to-world" }
}
