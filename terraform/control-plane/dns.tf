# Where the cluster's names live
data "aws_route53_zone" "this" {
  name         = var.dns_zone
  private_zone = false
}

# The name that people and hosts know
resource "aws_route53_record" "rancher" {
  zone_id = data.aws_route53_zone.this.zone_id
  name    = var.dns_name
  type    = "A"

  alias {
    name    = aws_lb.rancher.dns_name
    zone_id = aws_lb.rancher.zone_id
    # One name, one load balancer: there is nowhere else to send a caller
    evaluate_target_health = false
  }
}
