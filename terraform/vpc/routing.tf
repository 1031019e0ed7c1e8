locals {
  # Zones that have a NAT gateway, and the one that each zone goes through
  nat_zones = var.nat == "single" ? slice(var.zones, 0, 1) : var.zones
  nat_of    = { for zone in var.zones : zone => var.nat == "single" ? var.zones[0] : zone }
}

# The way from the public subnets to the internet and back
resource "aws_internet_gateway" "this" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.cluster}-internet" }
}

# Fixed addresses that the cluster's machines are seen under from outside
resource "aws_eip" "nat" {
  #checkov:skip=CKV2_AWS_19:These belong to NAT gateways, not to instances
  for_each = toset(local.nat_zones)

  domain = "vpc"

  tags = { Name = "${var.cluster}-nat-${each.key}" }

  # An address can be released only while the network still has its gateway
  depends_on = [aws_internet_gateway.this]
}

# The way out for machines without an address of their own: one in all, or one a zone
resource "aws_nat_gateway" "this" {
  for_each = toset(local.nat_zones)

  allocation_id = aws_eip.nat[each.key].id
  subnet_id     = aws_subnet.public[each.key].id

  tags = { Name = "${var.cluster}-nat-${each.key}" }
}

# Public subnets: everything else goes to the internet
resource "aws_route_table" "public" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.cluster}-public" }
}

# Public subnets send what is not for the network to the internet gateway
resource "aws_route" "internet" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.this.id
}

# Public subnets follow the public table
resource "aws_route_table_association" "public" {
  for_each = aws_subnet.public

  subnet_id      = each.value.id
  route_table_id = aws_route_table.public.id
}

# Private subnets: a table for each zone, so that each can have a NAT gateway of its own
resource "aws_route_table" "private" {
  for_each = local.zone_number

  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.cluster}-private-${each.key}" }
}

# Private subnets send what is not for the network to their NAT gateway
resource "aws_route" "nat" {
  for_each = local.nat_of

  route_table_id         = aws_route_table.private[each.key].id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.this[each.value].id
}

# Each private subnet follows the table of its zone
resource "aws_route_table_association" "private" {
  for_each = aws_subnet.private

  subnet_id      = each.value.id
  route_table_id = aws_route_table.private[each.key].id
}

# Database subnets: no route to the internet at all
resource "aws_route_table" "database" {
  vpc_id = aws_vpc.this.id

  tags = { Name = "${var.cluster}-database" }
}

# Database subnets follow the closed table
resource "aws_route_table_association" "database" {
  for_each = aws_subnet.database

  subnet_id      = each.value.id
  route_table_id = aws_route_table.database.id
}

# S3 without NAT: image layers, packages and exports cost no transfer and leave the network nowhere
resource "aws_vpc_endpoint" "s3" {
  vpc_id            = aws_vpc.this.id
  service_name      = "com.amazonaws.${var.region}.s3"
  vpc_endpoint_type = "Gateway"
  route_table_ids   = concat([for zone in var.zones : aws_route_table.private[zone].id], [aws_route_table.database.id])

  tags = { Name = "${var.cluster}-s3" }
}
