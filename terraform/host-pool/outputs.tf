# for the flows that watch and drain the pool

output "group_name" {
  description = "Name of the auto scaling group."
  value       = aws_autoscaling_group.hosts.name
}

output "queue_url" {
  description = "Queue that hears of instances which are about to go."
  value       = aws_sqs_queue.terminations.url
}

output "dead_letter_queue_url" {
  description = "Queue of the messages whose work failed again and again."
  value       = aws_sqs_queue.failed.url
}

# for people

output "launch_template_id" {
  description = "Launch template that the next host starts from."
  value       = aws_launch_template.machine.id
}

output "role_name" {
  description = "Role of the hosts."
  value       = aws_iam_role.machine.name
}
