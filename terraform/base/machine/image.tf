# The newest image of this account whose name matches
data "aws_ami" "machine" {
  owners      = ["self"]
  most_recent = true

  filter {
    name   = "name"
    values = [var.image_name]
  }

  filter {
    name   = "state"
    values = ["available"]
  }
}
