# for people

output "identifier" {
  description = "Name of the database in RDS."
  value       = aws_db_instance.this.identifier
}

# for the control plane

output "address" {
  description = "Name that servers reach the database by."
  value       = aws_route53_record.database.fqdn
}

output "port" {
  description = "Port of MySQL."
  value       = aws_db_instance.this.port
}

output "database_name" {
  description = "Name of the database inside MySQL."
  value       = aws_db_instance.this.db_name
}

output "username" {
  description = "User that Rancher comes as."
  value       = aws_db_instance.this.username
}

output "password_version" {
  description = "Which password the database has, as a number that grows with each change."
  value       = aws_db_instance.this.password_wo_version
}

output "secret_arn" {
  description = "Secret that holds user and password as JSON."
  value       = aws_secretsmanager_secret.database.arn
}
