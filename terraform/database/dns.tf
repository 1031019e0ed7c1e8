# The zone that the cluster's names lie in
data "aws_route53_zone" "this" {
  name = var.dns_zone
}

# The name that servers know the database by; a restored database takes over under the same name
resource "aws_route53_record" "database" {
  zone_id = data.aws_route53_zone.this.zone_id
  name    = var.dns_name
  type    = "CNAME"
  ttl     = 60
  records = [aws_db_instance.this.address]
}
