# The front door: ends TLS and passes on to whichever node is well
resource "aws_lb" "rancher" {
  name               = "${var.cluster}-rancher"
  load_balancer_type = "application"

  # network
  internal        = var.internal
  subnets         = var.internal ? var.private_subnet_ids : var.public_subnet_ids
  security_groups = [var.load_balancer_group_id]

  # Shells, logs and agents hold WebSockets that may be quiet for minutes
  idle_timeout = 900

  # Rancher writes the links of its answers with the host that it was asked for
  preserve_host_header       = true
  drop_invalid_header_fields = true
  enable_deletion_protection = var.deletion_protection

  dynamic "access_logs" {
    for_each = aws_s3_bucket.access_logs

    content {
      bucket  = access_logs.value.id
      enabled = true
    }
  }

  # AWS tries to write into the bucket as soon as logging is switched on
  depends_on = [aws_s3_bucket_policy.access_logs]
}

# 80 only sends people to 443
resource "aws_lb_listener" "http" {
  load_balancer_arn = aws_lb.rancher.arn
  port              = 80
  protocol          = "HTTP"

  default_action {
    type = "redirect"

    redirect {
      protocol    = "HTTPS"
      port        = "443"
      status_code = "HTTP_301"
    }
  }
}

# 443 to the nodes
resource "aws_lb_listener" "https" {
  load_balancer_arn = aws_lb.rancher.arn
  port              = 443
  protocol          = "HTTPS"
  ssl_policy        = "ELBSecurityPolicy-TLS13-1-2-2021-06"
  certificate_arn   = local.certificate_arn

  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.rancher.arn
  }
}

# The nodes, and how one is known to be well
resource "aws_lb_target_group" "rancher" {
  name     = "${var.cluster}-rancher"
  vpc_id   = var.vpc_id
  port     = 8080
  protocol = "HTTP"

  # A leaving node is waited for as long as its agents hold their WebSockets, which is for ever:
  # they reconnect to another node within seconds, once they are let go.
  deregistration_delay = 30

  # Rancher answers pong without a login; / would be refused with 401
  health_check {
    path                = "/ping"
    matcher             = "200"
    interval            = 10
    timeout             = 5
    healthy_threshold   = 2
    unhealthy_threshold = 2
  }
}
