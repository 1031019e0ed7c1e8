locals {
  # Looked up or made: one of the two has the name, the other nothing
  found_certificates = toset(var.certificate == "find" ? [var.dns_name] : [])
  made_certificates  = toset(var.certificate == "create" ? [var.dns_name] : [])

  certificate_arn = one(concat(
    values(data.aws_acm_certificate.found)[*].arn,
    values(aws_acm_certificate_validation.made)[*].certificate_arn,
  ))
}

# The newest certificate that somebody had issued for the name, imported ones too
data "aws_acm_certificate" "found" {
  for_each = local.found_certificates

  domain      = each.key
  statuses    = ["ISSUED"]
  most_recent = true
}

# A certificate of our own, renewed by AWS for as long as its validation record stands
resource "aws_acm_certificate" "made" {
  for_each = local.made_certificates

  domain_name       = each.key
  validation_method = "DNS"

  # The listener needs one at every moment
  lifecycle {
    create_before_destroy = true
  }
}

# What proves to AWS that the name is ours
resource "aws_route53_record" "validation" {
  for_each = aws_acm_certificate.made

  zone_id = data.aws_route53_zone.this.zone_id
  name    = one(each.value.domain_validation_options).resource_record_name
  type    = one(each.value.domain_validation_options).resource_record_type
  records = [one(each.value.domain_validation_options).resource_record_value]
  ttl     = 60

  # AWS asks the same record of every certificate that an account has for one name
  allow_overwrite = true
}

# Holds the listener back until the certificate is issued
resource "aws_acm_certificate_validation" "made" {
  for_each = aws_acm_certificate.made

  certificate_arn         = each.value.arn
  validation_record_fqdns = [aws_route53_record.validation[each.key].fqdn]
}
