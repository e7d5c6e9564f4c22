# What docker/kubernetes/overlays/aws stands on, in a VPC that there is. Not tried: no provider could be asked. docs/cloud.md
terraform {
  required_version = ">= 1.8"
  required_providers {
    aws    = { source = "hashicorp/aws", version = "~> 6.25" }
    random = { source = "hashicorp/random", version = "~> 3.7" }
  }
}

variable "name" { default = "fieldwatch" }
variable "vpc_id" { type = string }
variable "subnet_ids" {
  description = "Private subnets, one in each of three zones."
  type        = list(string)
}
variable "documents" {
  description = "true: DocumentDB keeps messages and twins; false: PostgreSQL does (docs/cloud.md names what DocumentDB lacks)."
  default     = false
}
variable "alarm_topics" {
  description = "SNS topics that alarms are told to."
  type        = list(string)
  default     = []
}

locals {
  # One file each in /run/secrets/fieldwatch; the owner's is for `migrate` alone. The user fieldwatch_app is made by the first `migrate`.
  secrets = {
    database-url           = "postgresql://fieldwatch_app:${random_password.made["app"].result}@${aws_db_instance.main.endpoint}/fieldwatch?sslmode=require"
    migration-database-url = "postgresql://fieldwatch:${random_password.made["owner"].result}@${aws_db_instance.main.endpoint}/fieldwatch?sslmode=require"
    kafka-password         = random_password.made["kafka"].result
    secrets-key            = random_password.made["secrets"].result
    audit-key              = random_password.made["audit"].result
    mongodb-uri            = var.documents ? "mongodb://fieldwatch:${random_password.made["documents"].result}@${aws_docdb_cluster.main[0].endpoint}:27017/fieldwatch?tls=true&replicaSet=rs0&retryWrites=false&authSource=admin" : "none"
  }
}

resource "random_password" "made" {
  for_each = toset(["app", "owner", "kafka", "documents", "secrets", "audit"])
  length   = 40
  special  = false
}

resource "aws_kms_key" "main" {
  description         = var.name
  enable_key_rotation = true
}

resource "aws_ecr_repository" "main" {
  name                 = var.name
  image_tag_mutability = "IMMUTABLE"
  image_scanning_configuration { scan_on_push = true }
  encryption_configuration {
    encryption_type = "KMS"
    kms_key         = aws_kms_key.main.arn
  }
}

data "aws_iam_policy_document" "assumed" {
  for_each = toset(["eks", "ec2", "pods.eks"])
  statement {
    actions = each.key == "pods.eks" ? ["sts:AssumeRole", "sts:TagSession"] : ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["${each.key}.amazonaws.com"]
    }
  }
}

resource "aws_iam_role" "main" {
  for_each           = data.aws_iam_policy_document.assumed
  name               = "${var.name}-${replace(each.key, ".", "-")}"
  assume_role_policy = each.value.json
}

resource "aws_iam_role_policy_attachment" "main" {
  for_each   = { AmazonEKSClusterPolicy = "eks", AmazonEKSWorkerNodePolicy = "ec2", AmazonEKS_CNI_Policy = "ec2", AmazonEC2ContainerRegistryPullOnly = "ec2" }
  role       = aws_iam_role.main[each.value].name
  policy_arn = "arn:aws:iam::aws:policy/${each.key}"
}

resource "aws_eks_cluster" "main" {
  name                      = var.name
  role_arn                  = aws_iam_role.main["eks"].arn
  enabled_cluster_log_types = ["api", "audit", "authenticator", "controllerManager", "scheduler"]
  vpc_config {
    subnet_ids              = var.subnet_ids
    endpoint_private_access = true
    endpoint_public_access  = false
  }
  encryption_config {
    resources = ["secrets"]
    provider { key_arn = aws_kms_key.main.arn }
  }
  depends_on = [aws_iam_role_policy_attachment.main]
}

resource "aws_eks_node_group" "main" {
  cluster_name    = aws_eks_cluster.main.name
  node_group_name = "main"
  node_role_arn   = aws_iam_role.main["ec2"].arn
  subnet_ids      = var.subnet_ids
  instance_types  = ["m7i.large"]
  scaling_config {
    desired_size = 3
    min_size     = 3
    max_size     = 6
  }
}

# The network policies of the base are enforced by the CNI only when it is told to.
resource "aws_eks_addon" "main" {
  for_each             = { vpc-cni = jsonencode({ enableNetworkPolicy = "true" }), eks-pod-identity-agent = null, aws-secrets-store-csi-driver-provider = null }
  cluster_name         = aws_eks_cluster.main.name
  addon_name           = each.key
  configuration_values = each.value
}

resource "aws_eks_pod_identity_association" "main" {
  cluster_name    = aws_eks_cluster.main.name
  namespace       = "fieldwatch"
  service_account = "fieldwatch"
  role_arn        = aws_iam_role.main["pods.eks"].arn
}

resource "aws_secretsmanager_secret" "main" {
  for_each   = toset(["database-url", "migration-database-url", "kafka-password", "secrets-key", "audit-key", "mongodb-uri"])
  name       = "${var.name}/${each.key}"
  kms_key_id = aws_kms_key.main.arn
}

resource "aws_secretsmanager_secret_version" "main" {
  for_each      = aws_secretsmanager_secret.main
  secret_id     = each.value.id
  secret_string = local.secrets[each.key]
}

data "aws_iam_policy_document" "pods" {
  statement {
    actions   = ["secretsmanager:GetSecretValue", "secretsmanager:DescribeSecret"]
    resources = [for one in aws_secretsmanager_secret.main : one.arn]
  }
  statement {
    actions   = ["kms:Decrypt"]
    resources = [aws_kms_key.main.arn]
  }
}

resource "aws_iam_role_policy" "pods" {
  role   = aws_iam_role.main["pods.eks"].name
  policy = data.aws_iam_policy_document.pods.json
}
