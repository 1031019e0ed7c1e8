locals {
  # 5.7.44 and 5.7 are the same family
  release = join(".", slice(split(".", var.engine_version), 0, 2))

  # Older than 5.7 cannot be told to refuse plain connections
  refuses_plain = local.release == "5.7"

  # Rancher writes text as utf8 and says "Incorrect string value" to anything else
  text = {
    character_set_client     = "utf8"
    character_set_connection = "utf8"
    character_set_database   = "utf8"
    character_set_results    = "utf8"
    character_set_server     = "utf8"
    collation_connection     = "utf8_general_ci"
    collation_server         = "utf8_general_ci"
  }

  connections = merge(
    {
      # Each server holds up to 150; the number is made of that on the other side
      max_connections = tostring(var.max_connections)
      # A probe that says nothing counts as an error, and MySQL's 100 would shut a control node out
      max_connect_errors = "1000000"
      # Templates and compose files of a large stack travel as one packet
      max_allowed_packet = tostring(64 * 1024 * 1024)
    },
    local.refuses_plain ? { require_secure_transport = "1" } : {},
  )

  logs = {
    log_output      = "FILE"
    slow_query_log  = "1"
    long_query_time = "2"
  }

  # Read by MySQL when it starts
  storage = {
    innodb_file_per_table   = "1"
    innodb_log_file_size    = tostring(256 * 1024 * 1024)
    innodb_buffer_pool_size = "{DBInstanceClassMemory*3/4}"
  }
}

# What Rancher 1.6 asks of MySQL; tables are Barracuda and DYNAMIC in 5.7 by themselves
resource "aws_db_parameter_group" "rancher" {
  name        = "${var.cluster}-mysql-${replace(local.release, ".", "-")}"
  description = "MySQL ${local.release} for Rancher in ${var.cluster}"
  family      = "mysql${local.release}"

  dynamic "parameter" {
    for_each = merge(local.text, local.connections, local.logs)

    content {
      name         = parameter.key
      value        = parameter.value
      apply_method = "immediate"
    }
  }

  dynamic "parameter" {
    for_each = local.storage

    content {
      name         = parameter.key
      value        = parameter.value
      apply_method = "pending-reboot"
    }
  }

  tags = { Name = "${var.cluster}-mysql-${replace(local.release, ".", "-")}" }

  # A group cannot go while a database uses it: another release gets its group first
  lifecycle {
    create_before_destroy = true
  }
}
