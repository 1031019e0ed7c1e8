# The fence around each tier of subnets; the rules are in acl_rules.tf
resource "aws_network_acl" "tier" {
  for_each = local.tiers

  vpc_id = aws_vpc.this.id
  subnet_ids = {
    public   = [for subnet in aws_subnet.public : subnet.id]
    private  = [for subnet in aws_subnet.private : subnet.id]
    database = [for subnet in aws_subnet.database : subnet.id]
  }[each.key]

  dynamic "ingress" {
    for_each = local.acl_in[each.key]
    iterator = rule

    content {
      rule_no    = 100 + 10 * rule.key
      action     = "allow"
      protocol   = rule.value.protocol
      cidr_block = rule.value.cidr
      from_port  = rule.value.from
      to_port    = rule.value.to
      icmp_type  = try(rule.value.icmp_type, null)
      icmp_code  = try(rule.value.icmp_code, null)
    }
  }

  dynamic "egress" {
    for_each = local.acl_out[each.key]
    iterator = rule

    content {
      rule_no    = 100 + 10 * rule.key
      action     = "allow"
      protocol   = rule.value.protocol
      cidr_block = rule.value.cidr
      from_port  = rule.value.from
      to_port    = rule.value.to
    }
  }

  tags = { Name = "${var.cluster}-${each.key}" }
}

# Anything that names no group gets this one, and with it no connection at all
resource "aws_default_security_group" "closed" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.cluster}-default-closed" }
}
