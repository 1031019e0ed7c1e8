# for people, the gate and host pools

output "url" {
  description = "Where Rancher is reached, by people and by hosts."
  value       = "https://${var.dns_name}"
}

# for the gate

output "load_balancer_arn" {
  description = "ARN of the load balancer."
  value       = aws_lb.rancher.arn
}

output "load_balancer_dns_name" {
  description = "The load balancer's own name, which the cluster's name is an alias of."
  value       = aws_lb.rancher.dns_name
}

output "target_group_arn" {
  description = "ARN of the target group that says which node is well."
  value       = aws_lb_target_group.rancher.arn
}

output "group_name" {
  description = "Name of the auto scaling group, which the flow raises to its full number."
  value       = aws_autoscaling_group.control.name
}

output "image_id" {
  description = "Image that the next node starts from."
  value       = aws_launch_template.machine.image_id
}
