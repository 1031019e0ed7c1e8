# for the control plane

output "load_balancer_group_id" {
  description = "Group of the load balancer."
  value       = aws_security_group.load_balancer.id
}

output "control_group_id" {
  description = "Group of the control nodes."
  value       = aws_security_group.control.id
}

# for host pools

output "hosts_group_id" {
  description = "Group of the container hosts."
  value       = aws_security_group.hosts.id
}

# for the database

output "database_group_id" {
  description = "Group of the database."
  value       = aws_security_group.database.id
}
