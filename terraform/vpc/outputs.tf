# for every stack

output "vpc_id" {
  description = "Id of the network."
  value       = aws_vpc.this.id
}

# for load balancers, nodes and hosts

output "public_subnet_ids" {
  description = "Public subnets, one for each of var.zones, in that order."
  value       = [for zone in var.zones : aws_subnet.public[zone].id]
}

output "private_subnet_ids" {
  description = "Private subnets, one for each of var.zones, in that order."
  value       = [for zone in var.zones : aws_subnet.private[zone].id]
}

# for the database

output "database_subnet_ids" {
  description = "Database subnets, one for each of var.zones, in that order."
  value       = [for zone in var.zones : aws_subnet.database[zone].id]
}

output "database_subnet_group" {
  description = "Name of the group that RDS places the database by."
  value       = aws_db_subnet_group.this.name
}

# for security groups

output "nat_public_ips" {
  description = "Addresses that the cluster's machines are seen under from outside, one for each NAT gateway, in the order of var.zones."
  value       = [for zone in local.nat_zones : aws_eip.nat[zone].public_ip]
}
