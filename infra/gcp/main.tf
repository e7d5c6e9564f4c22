# What docker/kubernetes/overlays/gcp stands on, in a network that there is. Not tried: no provider could be asked. docs/cloud.md
terraform {
  required_version = ">= 1.8"
  required_providers {
    google = { source = "hashicorp/google", version = "~> 7.12" }
    random = { source = "hashicorp/random", version = "~> 3.7" }
  }
}

variable "name" { default = "fieldwatch" }
variable "project" { type = string }
variable "region" { default = "europe-west3" }
variable "network" {
  description = "Self link of the VPC, with private services access for Cloud SQL."
  type        = string
}
variable "subnetwork" {
  description = "Self link of a subnetwork with secondary ranges `pods` and `services`."
  type        = string
}
variable "mongodb_uri" {
  description = "mongodb+srv://… of MongoDB Atlas, which is no part of Google."
  type        = string
  sensitive   = true
}

locals {
  database = "@${google_sql_database_instance.main.private_ip_address}:5432/fieldwatch?sslmode=require"
  secrets = {
    database-url           = "postgresql://fieldwatch_app:${random_password.made["app"].result}${local.database}"
    migration-database-url = "postgresql://fieldwatch:${random_password.made["owner"].result}${local.database}"
    kafka-password         = google_service_account_key.kafka.private_key
    secrets-key            = random_password.made["secrets"].result
    audit-key              = random_password.made["audit"].result
    mongodb-uri            = var.mongodb_uri
  }
}

resource "random_password" "made" {
  for_each = toset(["app", "owner", "secrets", "audit"])
  length   = 40
  special  = false
}

resource "google_artifact_registry_repository" "main" {
  project       = var.project
  location      = var.region
  repository_id = var.name
  format        = "DOCKER"
  docker_config { immutable_tags = true }
}

resource "google_container_cluster" "main" {
  project             = var.project
  name                = var.name
  location            = var.region
  network             = var.network
  subnetwork          = var.subnetwork
  enable_autopilot    = true
  deletion_protection = true
  private_cluster_config {
    enable_private_nodes    = true
    enable_private_endpoint = true
  }
  ip_allocation_policy {
    cluster_secondary_range_name  = "pods"
    services_secondary_range_name = "services"
  }
  release_channel { channel = "STABLE" }
  secret_manager_config { enabled = true }
}

resource "google_sql_database_instance" "main" {
  project             = var.project
  name                = var.name
  region              = var.region
  database_version    = "POSTGRES_17"
  deletion_protection = true
  settings {
    tier              = "db-custom-2-8192"
    edition           = "ENTERPRISE"
    availability_type = "REGIONAL"
    disk_type         = "PD_SSD"
    disk_size         = 100
    disk_autoresize   = true
    backup_configuration {
      enabled                        = true
      point_in_time_recovery_enabled = true
    }
    ip_configuration {
      ipv4_enabled    = false
      private_network = var.network
      ssl_mode        = "ENCRYPTED_ONLY"
    }
    insights_config { query_insights_enabled = true }
  }
}

resource "google_sql_database" "main" {
  project  = var.project
  name     = "fieldwatch"
  instance = google_sql_database_instance.main.name
}

# `migrate` signs in as this one and makes fieldwatch_app.
resource "google_sql_user" "owner" {
  project  = var.project
  name     = "fieldwatch"
  instance = google_sql_database_instance.main.name
  password = random_password.made["owner"].result
}

resource "google_managed_kafka_cluster" "main" {
  project    = var.project
  cluster_id = var.name
  location   = var.region
  capacity_config {
    vcpu_count   = 3
    memory_bytes = 3221225472
  }
  gcp_config {
    access_config {
      network_configs { subnet = replace(var.subnetwork, "https://www.googleapis.com/compute/v1/", "") }
    }
  }
}

# Its name and key are user and password of SASL/PLAIN.
resource "google_service_account" "kafka" {
  project    = var.project
  account_id = var.name
}

resource "google_service_account_key" "kafka" {
  service_account_id = google_service_account.kafka.name
}

resource "google_project_iam_member" "kafka" {
  project = var.project
  role    = "roles/managedkafka.client"
  member  = "serviceAccount:${google_service_account.kafka.email}"
}

resource "google_secret_manager_secret" "main" {
  for_each  = toset(["database-url", "migration-database-url", "kafka-password", "secrets-key", "audit-key", "mongodb-uri"])
  project   = var.project
  secret_id = "${var.name}-${each.key}"
  replication {
    auto {}
  }
}

resource "google_secret_manager_secret_version" "main" {
  for_each    = google_secret_manager_secret.main
  secret      = each.value.id
  secret_data = local.secrets[each.key]
}

# External Secrets reads them as its own service account of Kubernetes, by workload identity.
resource "google_secret_manager_secret_iam_member" "main" {
  for_each  = google_secret_manager_secret.main
  secret_id = each.value.id
  role      = "roles/secretmanager.secretAccessor"
  member    = "serviceAccount:${var.project}.svc.id.goog[external-secrets/external-secrets]"
}

resource "google_monitoring_alert_policy" "disk" {
  project      = var.project
  display_name = "${var.name}: PostgreSQL's disk"
  combiner     = "OR"
  conditions {
    display_name = "fuller than 85 %"
    condition_threshold {
      filter          = "resource.type = \"cloudsql_database\" AND metric.type = \"cloudsql.googleapis.com/database/disk/utilization\""
      comparison      = "COMPARISON_GT"
      threshold_value = 0.85
      duration        = "600s"
      aggregations {
        alignment_period   = "300s"
        per_series_aligner = "ALIGN_MEAN"
      }
    }
  }
}

output "kafka_brokers" {
  value = "bootstrap.${var.name}.${var.region}.managedkafka.${var.project}.cloud.goog:9092"
}
