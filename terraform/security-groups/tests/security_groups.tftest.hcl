mock_provider "aws" {}

variables {
  cluster               = "test"
  account_id            = "123456789012"
  region                = "eu-central-1"
  vpc_id                = "vpc-0123456789abcdef0"
  admin_cidrs           = ["203.0.113.0/24", "192.168.0.0/16"]
  nat_public_ips        = ["198.51.100.7"]
  load_balancer_open    = false
  database_admin_access = false
}

# Rules refer to groups, which get their ids only when they are made
override_resource {
  target          = aws_security_group.load_balancer
  override_during = plan
  values          = { id = "sg-000000000000000a" }
}

override_resource {
  target          = aws_security_group.control
  override_during = plan
  values          = { id = "sg-000000000000000b" }
}

override_resource {
  target          = aws_security_group.hosts
  override_during = plan
  values          = { id = "sg-000000000000000c" }
}

override_resource {
  target          = aws_security_group.database
  override_during = plan
  values          = { id = "sg-000000000000000d" }
}

run "nothing_is_open_to_everybody_by_default" {
  command = plan

  assert {
    condition = !anytrue([
      for rule in concat(values(aws_vpc_security_group_ingress_rule.load_balancer_from_visitors), values(aws_vpc_security_group_ingress_rule.database_from_admins)) : endswith(rule.cidr_ipv4, "/0")
    ])
    error_message = "no rule inwards names the whole internet"
  }
}

run "the_load_balancer_is_reached_by_admins_and_hosts" {
  command = plan

  assert {
    condition = toset(keys(aws_vpc_security_group_ingress_rule.load_balancer_from_visitors)) == toset([
      "443 from 203.0.113.0/24", "80 from 203.0.113.0/24",
      "443 from 192.168.0.0/16", "80 from 192.168.0.0/16",
      "443 from 198.51.100.7/32", "80 from 198.51.100.7/32",
    ])
    error_message = "443 and 80 for each admin network, and for hosts behind NAT"
  }
  assert {
    condition = alltrue([
      for port, rule in aws_vpc_security_group_ingress_rule.load_balancer_from_hosts : rule.from_port == tonumber(port) && rule.referenced_security_group_id == "sg-000000000000000c"
    ]) && length(aws_vpc_security_group_ingress_rule.load_balancer_from_hosts) == 2
    error_message = "443 and 80 for the hosts' own group"
  }
}

run "the_load_balancer_opens_when_asked_for_by_name" {
  command = plan
  variables {
    load_balancer_open = true
  }

  assert {
    condition     = alltrue([for port in ["443", "80"] : contains(keys(aws_vpc_security_group_ingress_rule.load_balancer_from_visitors), "${port} from 0.0.0.0/0")])
    error_message = "443 and 80 for everybody"
  }
  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.database_from_admins) == 0
    error_message = "and nothing else opens with it"
  }
}

run "control_nodes_hear_the_load_balancer_and_each_other" {
  command = plan

  assert {
    condition     = aws_vpc_security_group_ingress_rule.control_from_load_balancer.from_port == 8080 && aws_vpc_security_group_ingress_rule.control_from_load_balancer.referenced_security_group_id == "sg-000000000000000a"
    error_message = "8080 from the load balancer"
  }
  assert {
    condition     = toset([for rule in aws_vpc_security_group_ingress_rule.control_from_control : rule.to_port]) == toset([8080, 9345])
    error_message = "8080 and 9345 among themselves"
  }
  assert {
    condition     = alltrue([for rule in aws_vpc_security_group_ingress_rule.control_from_control : rule.security_group_id == rule.referenced_security_group_id])
    error_message = "among themselves means the group itself"
  }
}

run "hosts_speak_ipsec_among_themselves" {
  command = plan

  assert {
    condition     = toset([for rule in aws_vpc_security_group_ingress_rule.hosts_from_hosts : "${rule.ip_protocol} ${rule.from_port}-${rule.to_port} ${rule.referenced_security_group_id}"]) == toset(["udp 500-500 sg-000000000000000c", "udp 4500-4500 sg-000000000000000c"])
    error_message = "UDP 500 and 4500, from the hosts' own group"
  }
  assert {
    condition     = aws_vpc_security_group_egress_rule.hosts_to_load_balancer.from_port == 443 && aws_vpc_security_group_egress_rule.hosts_to_load_balancer.referenced_security_group_id == "sg-000000000000000a"
    error_message = "443 to the load balancer"
  }
}

run "the_database_hears_control_nodes_only" {
  command = plan

  assert {
    condition     = aws_vpc_security_group_ingress_rule.database_from_control.from_port == 3306 && aws_vpc_security_group_ingress_rule.database_from_control.referenced_security_group_id == "sg-000000000000000b"
    error_message = "3306 from the control nodes"
  }
  assert {
    condition     = length(aws_vpc_security_group_ingress_rule.database_from_admins) == 0
    error_message = "and from nobody else"
  }
}

run "admins_reach_the_database_if_the_cluster_file_says_so" {
  command = plan
  variables {
    database_admin_access = true
  }

  assert {
    condition     = toset([for rule in aws_vpc_security_group_ingress_rule.database_from_admins : "${rule.from_port} ${rule.cidr_ipv4}"]) == toset(["3306 203.0.113.0/24", "3306 192.168.0.0/16"])
    error_message = "3306 from each admin network"
  }
}

run "everybody_is_no_admin" {
  command = plan
  variables {
    admin_cidrs = ["0.0.0.0/0"]
  }
  expect_failures = [var.admin_cidrs]
}

run "addresses_and_networks_are_not_mixed_up" {
  command = plan
  variables {
    vpc_id         = "subnet-0123456789abcdef0"
    admin_cidrs    = ["203.0.113.7"]
    nat_public_ips = ["198.51.100.0/24"]
  }
  expect_failures = [var.vpc_id, var.admin_cidrs, var.nat_public_ips]
}
