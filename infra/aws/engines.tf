# PostgreSQL, Kafka and, if wanted, DocumentDB, for the cluster's pods alone; and who is told when one runs out of something.
resource "aws_security_group" "engines" {
  name        = "${var.name}-engines"
  description = "Engines of ${var.name}, for its cluster"
  vpc_id      = var.vpc_id
}

resource "aws_vpc_security_group_ingress_rule" "engines" {
  for_each                     = { postgresql = 5432, kafka = 9096, documents = 27017 }
  description                  = each.key
  security_group_id            = aws_security_group.engines.id
  referenced_security_group_id = aws_eks_cluster.main.vpc_config[0].cluster_security_group_id
  ip_protocol                  = "tcp"
  from_port                    = each.value
  to_port                      = each.value
}

resource "aws_db_subnet_group" "main" {
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_db_instance" "main" {
  identifier                          = var.name
  engine                              = "postgres"
  engine_version                      = "17"
  instance_class                      = "db.m7g.large"
  allocated_storage                   = 100
  max_allocated_storage               = 1000
  storage_type                        = "gp3"
  storage_encrypted                   = true
  kms_key_id                          = aws_kms_key.main.arn
  db_name                             = "fieldwatch"
  username                            = "fieldwatch"
  password                            = random_password.made["owner"].result
  db_subnet_group_name                = aws_db_subnet_group.main.name
  vpc_security_group_ids              = [aws_security_group.engines.id]
  multi_az                            = true
  backup_retention_period             = 14
  copy_tags_to_snapshot               = true
  deletion_protection                 = true
  auto_minor_version_upgrade          = true
  iam_database_authentication_enabled = true
  performance_insights_enabled        = true
  performance_insights_kms_key_id     = aws_kms_key.main.arn
  enabled_cloudwatch_logs_exports     = ["postgresql", "upgrade"]
  final_snapshot_identifier           = "${var.name}-last"
}

resource "aws_cloudwatch_log_group" "kafka" {
  name              = "/${var.name}/kafka"
  kms_key_id        = aws_kms_key.main.arn
  retention_in_days = 365
}

resource "aws_msk_cluster" "main" {
  cluster_name           = var.name
  kafka_version          = "3.9.x"
  number_of_broker_nodes = 3
  broker_node_group_info {
    instance_type   = "kafka.m7g.large"
    client_subnets  = var.subnet_ids
    security_groups = [aws_security_group.engines.id]
    storage_info {
      ebs_storage_info { volume_size = 200 }
    }
  }
  client_authentication {
    sasl { scram = true }
  }
  encryption_info {
    encryption_at_rest_kms_key_arn = aws_kms_key.main.arn
    encryption_in_transit {
      client_broker = "TLS"
      in_cluster    = true
    }
  }
  logging_info {
    broker_logs {
      cloudwatch_logs {
        enabled   = true
        log_group = aws_cloudwatch_log_group.kafka.name
      }
    }
  }
}

# MSK takes users from secrets of this very name and shape.
resource "aws_secretsmanager_secret" "kafka" {
  name       = "AmazonMSK_${var.name}"
  kms_key_id = aws_kms_key.main.arn
}

resource "aws_secretsmanager_secret_version" "kafka" {
  secret_id     = aws_secretsmanager_secret.kafka.id
  secret_string = jsonencode({ username = "fieldwatch", password = random_password.made["kafka"].result })
}

resource "aws_msk_scram_secret_association" "main" {
  cluster_arn     = aws_msk_cluster.main.arn
  secret_arn_list = [aws_secretsmanager_secret.kafka.arn]
  depends_on      = [aws_secretsmanager_secret_version.kafka]
}

resource "aws_docdb_subnet_group" "main" {
  count      = var.documents ? 1 : 0
  name       = var.name
  subnet_ids = var.subnet_ids
}

resource "aws_docdb_cluster" "main" {
  count                           = var.documents ? 1 : 0
  cluster_identifier              = var.name
  engine_version                  = "5.0.0"
  master_username                 = "fieldwatch"
  master_password                 = random_password.made["documents"].result
  db_subnet_group_name            = aws_docdb_subnet_group.main[0].name
  vpc_security_group_ids          = [aws_security_group.engines.id]
  storage_encrypted               = true
  kms_key_id                      = aws_kms_key.main.arn
  backup_retention_period         = 14
  deletion_protection             = true
  enabled_cloudwatch_logs_exports = ["audit", "profiler"]
  final_snapshot_identifier       = "${var.name}-documents-last"
}

resource "aws_docdb_cluster_instance" "main" {
  count              = var.documents ? 2 : 0
  cluster_identifier = aws_docdb_cluster.main[0].id
  instance_class     = "db.r6g.large"
}

# Beside Fieldwatch's own rules (docker/observability): what only the cloud can see.
resource "aws_cloudwatch_metric_alarm" "disk" {
  for_each = {
    postgresql = { namespace = "AWS/RDS", metric = "FreeStorageSpace", operator = "LessThanThreshold", threshold = 10000000000, by = { DBInstanceIdentifier = var.name } }
    kafka      = { namespace = "AWS/Kafka", metric = "KafkaDataLogsDiskUsed", operator = "GreaterThanThreshold", threshold = 80, by = { "Cluster Name" = var.name } }
  }
  alarm_name          = "${var.name}-${each.key}-disk"
  namespace           = each.value.namespace
  metric_name         = each.value.metric
  comparison_operator = each.value.operator
  threshold           = each.value.threshold
  dimensions          = each.value.by
  statistic           = "Average"
  period              = 300
  evaluation_periods  = 2
  alarm_actions       = var.alarm_topics
}

output "kafka_brokers" { value = aws_msk_cluster.main.bootstrap_brokers_sasl_scram }
output "image_repository" { value = aws_ecr_repository.main.repository_url }
