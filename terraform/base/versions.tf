terraform {
  # 1.11 is the first with write-only arguments, S3's own lock file and ephemeral resources together
  required_version = ">= 1.11"

  required_providers {
    aws = {
      source = "hashicorp/aws"
      # Pinned here and not in a lock file: a lock made from a mirror knows one platform only
      version = "= 5.100.0"
    }
  }

  # Bucket, key, region and locking come from the runner
  backend "s3" {}
}
