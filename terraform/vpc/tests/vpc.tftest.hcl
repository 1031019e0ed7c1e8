mock_provider "aws" {}

# Rules name the gateway's address, which AWS gives only when it is made
override_resource {
  target          = aws_eip.nat
  override_during = plan
  values          = { public_ip = "198.51.100.7" }
}

variables {
  cluster       = "test"
  account_id    = "123456789012"
  region        = "eu-central-1"
  cidr          = "10.40.0.0/16"
  zones         = ["eu-central-1a", "eu-central-1b", "eu-central-1c"]
  nat           = "single"
  admin_cidrs   = ["203.0.113.0/24"]
  flow_log_days = 90
}

run "every_zone_has_a_subnet_of_each_tier" {
  command = plan

  assert {
    condition     = [for zone in var.zones : aws_subnet.public[zone].cidr_block] == ["10.40.0.0/20", "10.40.16.0/20", "10.40.32.0/20"]
    error_message = "public subnets are the first quarter of the range, in the order of the zones"
  }
  assert {
    condition     = [for zone in var.zones : aws_subnet.private[zone].cidr_block] == ["10.40.64.0/20", "10.40.80.0/20", "10.40.96.0/20"]
    error_message = "private subnets are the second quarter of the range, in the order of the zones"
  }
  assert {
    condition     = [for zone in var.zones : aws_subnet.database[zone].cidr_block] == ["10.40.128.0/20", "10.40.144.0/20", "10.40.160.0/20"]
    error_message = "database subnets are the third quarter of the range, in the order of the zones"
  }
  assert {
    condition     = alltrue([for zone in var.zones : aws_subnet.public[zone].availability_zone == zone && !aws_subnet.public[zone].map_public_ip_on_launch])
    error_message = "each subnet stands in its zone, and hands out no public address"
  }
  assert {
    condition     = aws_vpc.this.enable_dns_support && aws_vpc.this.enable_dns_hostnames
    error_message = "the network resolves and gives names"
  }
}

run "names_and_tags_carry_the_cluster" {
  command = plan

  assert {
    condition     = aws_vpc.this.tags.Name == "test-vpc" && aws_db_subnet_group.this.name == "test-database"
    error_message = "names that people see begin with the cluster's"
  }
  assert {
    condition     = local.tags == { Cluster = "test", Stack = "vpc", ManagedBy = "corral" }
    error_message = "every resource says whose it is"
  }
}

run "a_single_nat_gateway_serves_all_zones" {
  command = plan

  assert {
    condition     = keys(aws_nat_gateway.this) == ["eu-central-1a"] && length(aws_eip.nat) == 1
    error_message = "one gateway, in the first zone"
  }
  assert {
    condition     = length(aws_route.nat) == 3
    error_message = "every private subnet has its way out"
  }
}

run "a_nat_gateway_each_zone_keeps_zones_apart" {
  command = plan
  variables {
    nat = "per_zone"
  }

  assert {
    condition     = tolist(keys(aws_nat_gateway.this)) == var.zones && length(aws_eip.nat) == 3
    error_message = "one gateway and one address a zone"
  }
  assert {
    condition     = alltrue([for zone, through in local.nat_of : zone == through])
    error_message = "no zone's traffic depends on another zone"
  }
}

run "only_admins_and_own_gateways_come_in_by_web_ports" {
  command = plan

  assert {
    condition = toset([
      for rule in aws_network_acl.tier["public"].ingress : rule.cidr_block if rule.from_port <= 443 && rule.to_port >= 443 && rule.protocol == "tcp"
    ]) == toset(["203.0.113.0/24", "198.51.100.7/32"])
    error_message = "443 is for the admin networks, and for hosts behind NAT"
  }
  assert {
    condition     = !anytrue([for tier in ["private", "database"] : anytrue([for rule in aws_network_acl.tier[tier].ingress : rule.cidr_block == "0.0.0.0/0" && rule.protocol != "icmp" && rule.from_port < 32768])])
    error_message = "from everywhere only answers come into private and database subnets"
  }
}

run "answers_find_their_way_back" {
  command = plan

  assert {
    condition = alltrue([
      for protocol in ["tcp", "udp"] : anytrue([
        for rule in aws_network_acl.tier["public"].ingress : rule.protocol == protocol && rule.cidr_block == "0.0.0.0/0" && rule.from_port == 1024 && rule.to_port == 65535
      ])
    ])
    error_message = "NAT gateways get the answers to what they asked"
  }
  assert {
    condition = anytrue([
      for rule in aws_network_acl.tier["database"].egress : rule.cidr_block == "10.40.64.0/18" && rule.from_port == 1024 && rule.to_port == 65535
    ])
    error_message = "the database may answer the control nodes"
  }
}

run "the_database_is_asked_by_private_subnets_and_admins_only" {
  command = plan

  assert {
    condition = toset([
      for rule in aws_network_acl.tier["database"].ingress : rule.cidr_block if rule.from_port == 3306
    ]) == toset(["10.40.64.0/18", "203.0.113.0/24"])
    error_message = "3306 is for the private tier and the admin networks"
  }
}

run "an_open_load_balancer_opens_the_public_subnets_alone" {
  command = plan
  variables {
    admin_cidrs = ["203.0.113.0/24", "0.0.0.0/0"]
  }

  assert {
    condition = anytrue([
      for rule in aws_network_acl.tier["public"].ingress : rule.cidr_block == "0.0.0.0/0" && rule.from_port == 443
    ])
    error_message = "everybody reaches the load balancer"
  }
  assert {
    condition = !anytrue(flatten([
      for tier in ["private", "database"] : [
        for rule in aws_network_acl.tier[tier].ingress : rule.cidr_block == "0.0.0.0/0" && contains([80, 443, 3306], rule.from_port)
      ]
    ]))
    error_message = "nobody new reaches nodes and database"
  }
}

run "flow_logs_keep_everything_for_the_days_asked" {
  command = plan

  assert {
    condition     = aws_flow_log.this.traffic_type == "ALL" && aws_cloudwatch_log_group.flow.retention_in_days == 90
    error_message = "accepted and refused traffic, for as long as the cluster file says"
  }
}

run "s3_is_reached_without_nat" {
  command = plan

  assert {
    condition     = aws_vpc_endpoint.s3.vpc_endpoint_type == "Gateway" && aws_vpc_endpoint.s3.service_name == "com.amazonaws.eu-central-1.s3"
    error_message = "S3 has a gateway endpoint in this region"
  }
}

run "values_that_no_network_can_have_are_refused" {
  command = plan
  variables {
    cluster       = "internal-test"
    cidr          = "10.40.0.0/23"
    zones         = ["eu-central-1a"]
    nat           = "none"
    flow_log_days = 31
  }
  expect_failures = [var.cluster, var.cidr, var.zones, var.nat, var.flow_log_days]
}

run "a_range_that_begins_elsewhere_and_a_zone_named_twice_are_refused" {
  command = plan
  variables {
    cidr  = "10.40.1.0/16"
    zones = ["eu-central-1a", "eu-central-1a"]
  }
  expect_failures = [var.cidr, var.zones]
}

run "a_zone_of_another_region_is_refused" {
  command = plan
  variables {
    zones = ["eu-central-1a", "us-east-1b"]
  }
  expect_failures = [var.zones]
}

run "an_address_with_host_bits_is_no_admin_network" {
  command = plan
  variables {
    admin_cidrs = ["203.0.113.7/24"]
  }
  expect_failures = [var.admin_cidrs]
}

run "more_admin_networks_than_an_acl_holds_are_refused" {
  command = plan
  variables {
    admin_cidrs = [for number in range(8) : "10.${number}.0.0/16"]
  }
  expect_failures = [var.admin_cidrs]
}
