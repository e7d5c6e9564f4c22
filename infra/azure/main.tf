# What docker/kubernetes/overlays/azure stands on, in a network that there is. Not tried: no provider could be asked. docs/cloud.md
terraform {
  required_version = ">= 1.8"
  required_providers {
    azurerm = { source = "hashicorp/azurerm", version = "~> 4.54" }
    random  = { source = "hashicorp/random", version = "~> 3.7" }
  }
}

provider "azurerm" {
  features {}
}

variable "name" { default = "fieldwatch" }
variable "location" { default = "germanywestcentral" }
variable "nodes_subnet_id" { type = string }
variable "database_subnet_id" {
  description = "A subnet delegated to Microsoft.DBforPostgreSQL/flexibleServers."
  type        = string
}
variable "database_dns_zone_id" {
  description = "The private DNS zone *.postgres.database.azure.com, linked to the network."
  type        = string
}
variable "documents" {
  description = "true: Cosmos DB for MongoDB (vCore) keeps messages and twins; false: PostgreSQL does (docs/cloud.md names the gaps)."
  default     = false
}

data "azurerm_client_config" "current" {}

locals {
  secrets = {
    database-url           = "postgresql://fieldwatch_app:${random_password.made["app"].result}@${azurerm_postgresql_flexible_server.main.fqdn}:5432/fieldwatch?sslmode=require"
    migration-database-url = "postgresql://fieldwatch:${random_password.made["owner"].result}@${azurerm_postgresql_flexible_server.main.fqdn}:5432/fieldwatch?sslmode=require"
    kafka-password         = azurerm_eventhub_namespace_authorization_rule.main.primary_connection_string
    secrets-key            = random_password.made["secrets"].result
    audit-key              = random_password.made["audit"].result
    mongodb-uri            = var.documents ? "mongodb+srv://fieldwatch:${random_password.made["documents"].result}@${var.name}.global.mongocluster.cosmos.azure.com/fieldwatch?tls=true&authMechanism=SCRAM-SHA-256&retrywrites=false" : "none"
  }
}

resource "random_password" "made" {
  for_each = toset(["app", "owner", "documents", "secrets", "audit"])
  length   = 40
  special  = false
}

resource "azurerm_resource_group" "main" {
  name     = var.name
  location = var.location
}

resource "azurerm_container_registry" "main" {
  name                = var.name
  resource_group_name = azurerm_resource_group.main.name
  location            = var.location
  sku                 = "Premium"
  admin_enabled       = false
}

resource "azurerm_kubernetes_cluster" "main" {
  name                      = var.name
  resource_group_name       = azurerm_resource_group.main.name
  location                  = var.location
  dns_prefix                = var.name
  private_cluster_enabled   = true
  local_account_disabled    = true
  oidc_issuer_enabled       = true
  workload_identity_enabled = true
  azure_policy_enabled      = true
  sku_tier                  = "Standard"
  automatic_upgrade_channel = "patch"
  default_node_pool {
    name           = "main"
    vm_size        = "Standard_D2s_v5"
    node_count     = 3
    zones          = ["1", "2", "3"]
    vnet_subnet_id = var.nodes_subnet_id
  }
  identity { type = "SystemAssigned" }
  azure_active_directory_role_based_access_control { azure_rbac_enabled = true }
  key_vault_secrets_provider { secret_rotation_enabled = true }
  network_profile {
    network_plugin      = "azure"
    network_plugin_mode = "overlay"
    network_policy      = "cilium"
    network_data_plane  = "cilium"
  }
}

resource "azurerm_role_assignment" "pull" {
  scope                = azurerm_container_registry.main.id
  role_definition_name = "AcrPull"
  principal_id         = azurerm_kubernetes_cluster.main.kubelet_identity[0].object_id
}

resource "azurerm_postgresql_flexible_server" "main" {
  name                          = var.name
  resource_group_name           = azurerm_resource_group.main.name
  location                      = var.location
  version                       = "17"
  sku_name                      = "GP_Standard_D2ds_v5"
  storage_mb                    = 131072
  auto_grow_enabled             = true
  backup_retention_days         = 14
  geo_redundant_backup_enabled  = true
  administrator_login           = "fieldwatch"
  administrator_password        = random_password.made["owner"].result
  delegated_subnet_id           = var.database_subnet_id
  private_dns_zone_id           = var.database_dns_zone_id
  public_network_access_enabled = false
  high_availability { mode = "ZoneRedundant" }
  lifecycle { ignore_changes = [zone, high_availability[0].standby_availability_zone] }
}

resource "azurerm_postgresql_flexible_server_database" "main" {
  name      = "fieldwatch"
  server_id = azurerm_postgresql_flexible_server.main.id
}

# Kafka's protocol from Standard on. Topics are event hubs; `migrate` makes them by Kafka's own request.
resource "azurerm_eventhub_namespace" "main" {
  name                          = var.name
  resource_group_name           = azurerm_resource_group.main.name
  location                      = var.location
  sku                           = "Premium"
  capacity                      = 1
  minimum_tls_version           = "1.2"
  public_network_access_enabled = false
}

resource "azurerm_eventhub_namespace_authorization_rule" "main" {
  name                = var.name
  namespace_name      = azurerm_eventhub_namespace.main.name
  resource_group_name = azurerm_resource_group.main.name
  listen              = true
  send                = true
  manage              = true
}

resource "azurerm_mongo_cluster" "main" {
  count                  = var.documents ? 1 : 0
  name                   = var.name
  resource_group_name    = azurerm_resource_group.main.name
  location               = var.location
  administrator_username = "fieldwatch"
  administrator_password = random_password.made["documents"].result
  version                = "8.0"
  compute_tier           = "M30"
  storage_size_in_gb     = 128
  shard_count            = 1
  high_availability_mode = "ZoneRedundantPreferred"
}

resource "azurerm_user_assigned_identity" "pods" {
  name                = var.name
  resource_group_name = azurerm_resource_group.main.name
  location            = var.location
}

resource "azurerm_federated_identity_credential" "pods" {
  name                = var.name
  resource_group_name = azurerm_resource_group.main.name
  parent_id           = azurerm_user_assigned_identity.pods.id
  audience            = ["api://AzureADTokenExchange"]
  issuer              = azurerm_kubernetes_cluster.main.oidc_issuer_url
  subject             = "system:serviceaccount:fieldwatch:fieldwatch"
}

resource "azurerm_key_vault" "main" {
  name                       = var.name
  resource_group_name        = azurerm_resource_group.main.name
  location                   = var.location
  tenant_id                  = data.azurerm_client_config.current.tenant_id
  sku_name                   = "standard"
  rbac_authorization_enabled = true
  purge_protection_enabled   = true
}

# Whoever applies this may write secrets, the pods may read them.
resource "azurerm_role_assignment" "secrets" {
  for_each             = { "Key Vault Secrets Officer" = data.azurerm_client_config.current.object_id, "Key Vault Secrets User" = azurerm_user_assigned_identity.pods.principal_id }
  scope                = azurerm_key_vault.main.id
  role_definition_name = each.key
  principal_id         = each.value
}

resource "azurerm_key_vault_secret" "main" {
  for_each     = toset(["database-url", "migration-database-url", "kafka-password", "secrets-key", "audit-key", "mongodb-uri"])
  name         = each.key
  value        = local.secrets[each.key]
  key_vault_id = azurerm_key_vault.main.id
  depends_on   = [azurerm_role_assignment.secrets]
}
