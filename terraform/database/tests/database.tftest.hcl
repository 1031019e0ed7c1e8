mock_provider "aws" {}

# Ephemeral values cannot be mocked; in a first plan they are not asked for, so nobody is called
provider "aws" {
  alias                       = "secrets"
  region                      = "eu-central-1"
  access_key                  = "none"
  secret_key                  = "none"
  skip_credentials_validation = true
  skip_requesting_account_id  = true
}

variables {
  cluster               = "test"
  account_id            = "123456789012"
  region                = "eu-central-1"
  database_subnet_group = "test-database"
  database_group_id     = "sg-0123456789abcdef0"
  dns_zone              = "example.org"
  dns_name              = "rancher-db.example.org"
  identifier            = "test-database"
  password_version      = 1
  final_snapshot        = "test-database-final"
  engine_version        = "5.7"
  instance_class        = "db.m5.large"
  storage_gib           = 50
  multi_az              = true
  backup_days           = 14
  backup_window         = "00:00-01:00"
  maintenance_window    = "mon:01:30-mon:02:30"
  deletion_protection   = true
  max_connections       = 500
  database_name         = "rancher"
  username              = "rancher"
}

run "the_database_survives_a_zone_and_keeps_its_disk_secret" {
  command = plan

  assert {
    condition     = aws_db_instance.this.engine == "mysql" && aws_db_instance.this.multi_az
    error_message = "MySQL with a standby in another zone"
  }
  assert {
    condition     = aws_db_instance.this.storage_type == "gp3" && aws_db_instance.this.storage_encrypted && aws_db_instance.this.allocated_storage == 50
    error_message = "an encrypted gp3 disk of the size asked for"
  }
  assert {
    condition     = !aws_db_instance.this.publicly_accessible && aws_db_instance.this.vpc_security_group_ids == toset(["sg-0123456789abcdef0"])
    error_message = "reached through its own group only"
  }
}

run "backups_come_before_maintenance" {
  command = plan

  assert {
    condition     = aws_db_instance.this.backup_window == "00:00-01:00" && aws_db_instance.this.backup_retention_period == 14
    error_message = "nightly backups from 00:00 to 01:00, for 14 days"
  }
  assert {
    condition     = aws_db_instance.this.maintenance_window == "mon:01:30-mon:02:30"
    error_message = "AWS's own changes wait for Monday, 01:30 to 02:30"
  }
}

run "what_was_approved_waits_for_no_window" {
  command = plan

  assert {
    condition     = aws_db_instance.this.apply_immediately
    error_message = "a change that somebody approved is made at once"
  }
}

run "the_database_is_not_lost_by_accident" {
  command = plan

  assert {
    condition     = aws_db_instance.this.deletion_protection && aws_secretsmanager_secret.database.recovery_window_in_days == 30
    error_message = "AWS refuses to delete it, and its secret can be called back"
  }
  assert {
    condition     = !aws_db_instance.this.skip_final_snapshot && aws_db_instance.this.final_snapshot_identifier == "test-database-final" && aws_db_instance.this.copy_tags_to_snapshot
    error_message = "what is deleted after all leaves a snapshot with its tags, under a name known beforehand"
  }
}

run "an_unprotected_cluster_can_be_built_again_at_once" {
  command = plan
  variables {
    deletion_protection = false
  }

  assert {
    condition     = !aws_db_instance.this.deletion_protection && aws_secretsmanager_secret.database.recovery_window_in_days == 0
    error_message = "the secret's name is free as soon as it is deleted"
  }
}

run "mysql_is_as_rancher_wants_it" {
  command = plan

  assert {
    condition = alltrue([
      for name, value in {
        character_set_client     = "utf8"
        character_set_server     = "utf8"
        collation_server         = "utf8_general_ci"
        max_allowed_packet       = "67108864"
        max_connections          = "500"
        innodb_file_per_table    = "1"
        innodb_log_file_size     = "268435456"
        require_secure_transport = "1"
      } : contains([for parameter in aws_db_parameter_group.rancher.parameter : "${parameter.name}=${parameter.value}"], "${name}=${value}")
    ])
    error_message = "utf8 everywhere, large packets, enough connections, large logs, and nothing in plain text"
  }
  assert {
    condition     = aws_db_parameter_group.rancher.family == "mysql5.7" && aws_db_instance.this.parameter_group_name == "test-mysql-5-7"
    error_message = "the group belongs to the release, and the database uses it"
  }
}

run "a_full_version_has_the_family_of_its_release" {
  command = plan
  variables {
    engine_version = "5.6.51"
  }

  assert {
    condition     = aws_db_parameter_group.rancher.family == "mysql5.6"
    error_message = "families have two numbers"
  }
  assert {
    condition     = !contains([for parameter in aws_db_parameter_group.rancher.parameter : parameter.name], "require_secure_transport")
    error_message = "5.6 does not know the parameter that refuses plain connections"
  }
}

run "errors_and_slow_queries_are_exported_and_not_for_ever" {
  command = plan

  assert {
    condition     = toset(aws_db_instance.this.enabled_cloudwatch_logs_exports) == toset(["error", "slowquery"])
    error_message = "errors and slow queries go to CloudWatch"
  }
  assert {
    condition     = alltrue([for group in aws_cloudwatch_log_group.export : group.retention_in_days == 90 && startswith(group.name, "/aws/rds/instance/test-database/")])
    error_message = "into the groups that RDS writes to, for 90 days"
  }
}

run "servers_find_the_database_by_name" {
  command = plan

  assert {
    condition     = aws_route53_record.database.type == "CNAME" && aws_route53_record.database.name == "rancher-db.example.org"
    error_message = "a CNAME in the cluster's zone"
  }
}

run "a_restored_instance_takes_over_the_names_of_the_cluster" {
  command = plan
  variables {
    identifier     = "test-database-20261123t201500"
    final_snapshot = "test-database-20261123t201500-final"
  }

  assert {
    condition     = aws_db_instance.this.identifier == "test-database-20261123t201500" && aws_db_instance.this.final_snapshot_identifier == "test-database-20261123t201500-final"
    error_message = "the instance has a name of its own"
  }
  assert {
    condition     = alltrue([for group in aws_cloudwatch_log_group.export : startswith(group.name, "/aws/rds/instance/test-database-20261123t201500/")])
    error_message = "and RDS writes its logs under that name"
  }
  assert {
    condition     = aws_iam_role.monitoring.name == "test-database-monitoring" && aws_secretsmanager_secret.database.name == "test/database" && aws_db_parameter_group.rancher.name == "test-mysql-5-7" && aws_route53_record.database.name == "rancher-db.example.org"
    error_message = "what is the cluster's stays"
  }
}

run "another_version_of_the_password_is_made_stored_and_set" {
  command = plan
  variables {
    password_version = 2
  }

  assert {
    condition     = terraform_data.password.input.version == 2 && aws_secretsmanager_secret_version.database.secret_string_wo_version == 2 && aws_db_instance.this.password_wo_version == 2
    error_message = "secret and database go together"
  }
}

run "the_password_is_in_no_plan" {
  command = plan

  assert {
    condition     = terraform_data.password.input.length <= 41
    error_message = "RDS takes 41 characters at most"
  }

  assert {
    condition     = aws_db_instance.this.password == null && aws_db_instance.this.password_wo == null
    error_message = "the password goes through a write-only argument"
  }
  assert {
    condition     = aws_secretsmanager_secret.database.name == "test/database" && aws_secretsmanager_secret_version.database.secret_string_wo == null
    error_message = "and so does the content of the secret that nodes read"
  }
}

run "what_rancher_could_not_run_on_is_refused" {
  command = plan
  variables {
    engine_version  = "8.0"
    instance_class  = "db.t3.micro"
    max_connections = 150
    dns_name        = "rancher-db.example.com"
  }
  expect_failures = [var.engine_version, var.instance_class, var.max_connections, var.dns_name]
}

run "what_rds_would_not_take_is_refused" {
  command = plan
  variables {
    storage_gib           = 10
    backup_days           = 0
    backup_window         = "0:00-1:00"
    maintenance_window    = "Mon:01:30-Mon:02:30"
    username              = "rdsadmin"
    database_name         = "rancher-db"
    database_group_id     = "vpc-0123456789abcdef0"
    database_subnet_group = "Test/Database"
    identifier            = "test--database"
    password_version      = 0
    final_snapshot        = "Test/Final"
  }
  expect_failures = [
    var.storage_gib, var.backup_days, var.backup_window, var.maintenance_window, var.username,
    var.database_name, var.database_group_id, var.database_subnet_group,
    var.identifier, var.password_version, var.final_snapshot,
  ]
}
