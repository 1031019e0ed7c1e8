# Network ACLs have no memory: for every question that may pass, the answer is let back in here.
# They are the coarse fence; who may talk to whom in detail is the business of the security groups.
locals {
  anywhere = "0.0.0.0/0"

  # The ports that answers come back to: NAT gateways use all of them, Linux machines the upper ones
  nat_ports   = { from = 1024, to = 65535 }
  linux_ports = { from = 32768, to = 65535 }

  # Private and database subnets are reached through connected networks only, never from everywhere
  connected_cidrs = [for cidr in var.admin_cidrs : cidr if cidr != local.anywhere]

  # Hosts reach an internet-facing load balancer through NAT, so under the addresses of the gateways
  nat_cidrs = [for zone in local.nat_zones : "${aws_eip.nat[zone].public_ip}/32"]

  # Machines learn from this answer that a packet was too large, or wait for ever
  too_large = { protocol = "icmp", cidr = local.anywhere, from = 0, to = 0, icmp_type = 3, icmp_code = 4 }
  all_out   = [{ protocol = "-1", cidr = local.anywhere, from = 0, to = 0 }]

  web_ports = [for port in [443, 80] : { from = port, to = port }]
  acl_in = {
    public = concat(
      [for pair in setproduct(concat(var.admin_cidrs, local.nat_cidrs), local.web_ports) : merge({ protocol = "tcp", cidr = pair[0] }, pair[1])],
      # Machines in private subnets ask the internet through the NAT gateways here; the load balancer's targets answer
      [{ protocol = "-1", cidr = local.tier_cidrs.private, from = 0, to = 0 }],
      [for protocol in ["tcp", "udp"] : merge({ protocol = protocol, cidr = local.anywhere }, local.nat_ports)],
      [local.too_large],
    )
    private = concat(
      # An internal load balancer stands here, between the nodes and the connected networks
      [for pair in setproduct(local.connected_cidrs, local.web_ports) : merge({ protocol = "tcp", cidr = pair[0] }, pair[1])],
      [{ protocol = "tcp", cidr = local.tier_cidrs.public, from = 8080, to = 8080 }],
      [{ protocol = "-1", cidr = local.tier_cidrs.private, from = 0, to = 0 }],
      [for protocol in ["tcp", "udp"] : merge({ protocol = protocol, cidr = local.anywhere }, local.linux_ports)],
      [local.too_large],
    )
    database = concat(
      [for cidr in concat([local.tier_cidrs.private], local.connected_cidrs) : { protocol = "tcp", cidr = cidr, from = 3306, to = 3306 }],
      # Answers of S3, whose addresses an ACL cannot name; there is no route to anybody else
      [merge({ protocol = "tcp", cidr = local.anywhere }, local.linux_ports)],
    )
  }

  acl_out = {
    public  = local.all_out
    private = local.all_out
    database = concat(
      [for cidr in concat([local.tier_cidrs.private], local.connected_cidrs) : merge({ protocol = "tcp", cidr = cidr }, local.nat_ports)],
      [{ protocol = "tcp", cidr = local.anywhere, from = 443, to = 443 }],
    )
  }
}
