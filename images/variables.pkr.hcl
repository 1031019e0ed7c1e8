# What differs from one bake to the next. Those without a default must be given.

variable "region" {
  description = "Region that the image is baked in and belongs to, such as \"eu-west-1\"."
  type        = string
}

variable "source_image" {
  description = "Id of the image to start from, \"ami-...\": Debian 12, amd64, owner 136693071363."
  type        = string
}

variable "image_name" {
  description = "Name of the new image, which no image of the account has yet; it matches `image_name` of the cluster file."
  type        = string
}

variable "instance_type" {
  description = "EC2 instance type that bakes, x86_64."
  type        = string
  default     = "t3.medium"
}

variable "volume_gib" {
  description = "Size of the image's root volume in GiB: the least that a machine started from it may have."
  type        = number
  default     = 8
}

variable "playbook_variables" {
  description = "Absolute path of a file of Ansible variables (YAML or JSON) for the roles: operators, where logs and metrics go."
  type        = string
}

# where it bakes

variable "vpc_id" {
  description = "Network of the builder; null is the account's default one."
  type        = string
  default     = null
}

variable "subnet_id" {
  description = "Subnet of the builder, with a way to the Internet; null is one of the default network."
  type        = string
  default     = null
}

variable "associate_public_ip_address" {
  description = "Whether the builder has a public address; null is what its subnet says."
  type        = bool
  default     = null
}

variable "source_cidrs" {
  description = "Who may open SSH to the builder while it bakes, as CIDR blocks: where Packer runs."
  type        = list(string)
}

# what is marked

variable "run_tags" {
  description = "Tags of the builder and its volumes, by which a clean-up finds them: `corral:builder`, `corral:run`."
  type        = map(string)
  default     = {}
}

variable "image_tags" {
  description = "Tags of the image and its snapshots: what is in it, and where it comes from."
  type        = map(string)
  default     = {}
}

variable "kms_key_id" {
  description = "Key that encrypts the image; null is the account's own for EBS."
  type        = string
  default     = null
}

# how Packer gets there

variable "ansible_playbook" {
  description = "Path of the `ansible-playbook` to run."
  type        = string
  default     = "ansible-playbook"
}

variable "ssh_interface" {
  description = "Address that SSH goes to: public_ip, private_ip, public_dns, private_dns; null is the public one if there is one."
  type        = string
  default     = null
}

variable "ssh_host" {
  description = "Address that SSH goes to instead of the builder's own: a jump host's forward, or a test's; null is the builder's."
  type        = string
  default     = null
}

variable "ssh_port" {
  description = "Port that SSH goes to."
  type        = number
  default     = 22
}

variable "ssh_timeout" {
  description = "How long to wait for the builder to answer SSH."
  type        = string
  default     = "10m"
}

variable "custom_endpoint_ec2" {
  description = "Address of another EC2 than AWS's; empty is AWS's."
  type        = string
  default     = ""
}
