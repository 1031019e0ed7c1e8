locals {
  stack = "vpc"

  # Each tier is a quarter of the range, each subnet a quarter of its tier: room for four zones
  tiers       = { public = 0, private = 1, database = 2 }
  tier_cidrs  = { for tier, index in local.tiers : tier => cidrsubnet(var.cidr, 2, index) }
  zone_cidrs  = { for tier, cidr in local.tier_cidrs : tier => [for index in range(4) : cidrsubnet(cidr, 2, index)] }
  zone_number = { for index, zone in var.zones : zone => index }
}

# The cluster's own network; names are needed by the database endpoint and by Session Manager
resource "aws_vpc" "this" {
  cidr_block           = var.cidr
  enable_dns_support   = true
  enable_dns_hostnames = true

  tags = { Name = "${var.cluster}-vpc" }
}

# Load balancer and NAT gateways: the only subnets that the internet reaches
resource "aws_subnet" "public" {
  for_each = local.zone_number

  vpc_id                  = aws_vpc.this.id
  cidr_block              = local.zone_cidrs.public[each.value]
  availability_zone       = each.key
  map_public_ip_on_launch = false

  tags = { Name = "${var.cluster}-public-${each.key}", Tier = "public" }
}

# Control nodes and container hosts: they reach out through NAT, nobody reaches in
resource "aws_subnet" "private" {
  for_each = local.zone_number

  vpc_id                  = aws_vpc.this.id
  cidr_block              = local.zone_cidrs.private[each.value]
  availability_zone       = each.key
  map_public_ip_on_launch = false

  tags = { Name = "${var.cluster}-private-${each.key}", Tier = "private" }
}

# The database: no way out but to S3
resource "aws_subnet" "database" {
  for_each = local.zone_number

  vpc_id                  = aws_vpc.this.id
  cidr_block              = local.zone_cidrs.database[each.value]
  availability_zone       = each.key
  map_public_ip_on_launch = false

  tags = { Name = "${var.cluster}-database-${each.key}", Tier = "database" }
}

# Where RDS may place the database and its standby
resource "aws_db_subnet_group" "this" {
  name        = "${var.cluster}-database"
  description = "Database subnets of ${var.cluster}, one for each zone"
  subnet_ids  = [for zone in var.zones : aws_subnet.database[zone].id]

  tags = { Name = "${var.cluster}-database" }
}
