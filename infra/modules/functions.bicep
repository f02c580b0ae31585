// The function app on Flex Consumption: no instance while nothing happens, except when a timer ticks.

@description('Azure region.')
param location string

@description('Tags of every resource.')
param tags object

@description('What makes names unique: of subscription, environment and region.')
param token string

@description('Resource id of the app\'s identity.')
param identityId string

@description('Client id of that identity.')
param identityClientId string

@description('The Functions host\'s own account.')
param hostAccountName string

@description('Account of files and state.')
param dataAccountName string

@description('Container of the host\'s account that holds the deployment package.')
param packageContainer string

@description('Vault of the secrets that settings refer to.')
param vaultName string

@description('Names of the settings, and secrets, that models.toml refers to.')
param modelSettings array

@description('Whether notifications hold links that decide a held run.')
param approvalLinks bool

@description('Whether jobs get the data account\'s key.')
param keyedHandover bool

@description('Where the app logs to.')
param applicationInsightsName string

@description('Id of the Log Analytics workspace of the app\'s diagnostic settings.')
param workspaceId string

@description('Memory of an instance, in MB.')
param instanceMemoryMB int

@description('Instances at most.')
param maximumInstanceCount int

@description('NCRONTAB: when open runs are looked at.')
param pollSchedule string

@description('NCRONTAB: when schedules and sweeps are looked at.')
param retrainSchedule string

resource host 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: hostAccountName
}

resource data 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: dataAccountName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: applicationInsightsName
}

var ownSettings = [
  { name: 'AzureWebJobsStorage__blobServiceUri', value: host.properties.primaryEndpoints.blob }
  { name: 'AzureWebJobsStorage__queueServiceUri', value: host.properties.primaryEndpoints.queue }
  { name: 'AzureWebJobsStorage__tableServiceUri', value: host.properties.primaryEndpoints.table }
  { name: 'AzureWebJobsStorage__credential', value: 'managedidentity' }
  { name: 'AzureWebJobsStorage__clientId', value: identityClientId }
  { name: 'DATA_STORAGE__blobServiceUri', value: data.properties.primaryEndpoints.blob }
  { name: 'DATA_STORAGE__queueServiceUri', value: data.properties.primaryEndpoints.queue }
  { name: 'DATA_STORAGE__tableServiceUri', value: data.properties.primaryEndpoints.table }
  { name: 'DATA_STORAGE__credential', value: 'managedidentity' }
  { name: 'DATA_STORAGE__clientId', value: identityClientId }
  { name: 'TRAINING_DATA_SOURCE', value: 'EventGrid' }
  { name: 'TELEMETRY', value: 'log' } // traces and metrics as log events, which the host takes to Application Insights
  { name: 'MODELS_FILE', value: 'models.toml' }
  { name: 'POLL_SCHEDULE', value: pollSchedule }
  { name: 'RETRAIN_SCHEDULE', value: retrainSchedule }
  { name: 'APPLICATIONINSIGHTS_CONNECTION_STRING', value: insights.properties.ConnectionString } // names the place; opens nothing
  { name: 'APPLICATIONINSIGHTS_AUTHENTICATION_STRING', value: 'ClientId=${identityClientId};Authorization=AAD' }
]

// Secrets are named here and read by the platform; a changed one is taken up within a day, or at the next restart.
var approvalSecret = '@Microsoft.KeyVault(VaultName=${vaultName};SecretName=approval-secret)'
var approvalSettings = approvalLinks ? [{ name: 'APPROVAL_SECRET', value: approvalSecret }] : []
var handoverSecret = '@Microsoft.KeyVault(VaultName=${vaultName};SecretName=keyed-handover)'
var handoverSettings = keyedHandover ? [{ name: 'KEYED_HANDOVER', value: handoverSecret }] : []
var secretSettings = [
  for name in modelSettings: {
    name: name
    value: '@Microsoft.KeyVault(VaultName=${vaultName};SecretName=${toLower(replace(name, '_', '-'))})'
  }
]

resource plan 'Microsoft.Web/serverfarms@2024-11-01' = {
  // checkov:skip=CKV_AZURE_225:zones are a choice for the owner; after an outage the sweep takes up what was missed
  // checkov:skip=CKV_AZURE_212:Flex Consumption has no minimum of instances: it starts from zero
  name: 'plan-${token}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { tier: 'FlexConsumption', name: 'FC1' }
  properties: { reserved: true } // Linux
}

resource app 'Microsoft.Web/sites@2024-11-01' = {
  // checkov:skip=CKV_AZURE_222:people and programs call /api; every address but health wants a key
  // checkov:skip=CKV_AZURE_17:callers have function keys, not certificates
  // checkov:skip=CKV_AZURE_213:Flex Consumption has no platform health check
  // checkov:skip=CKV_AZURE_212:Flex Consumption has no minimum of instances: it starts from zero
  name: 'func-relearn-${token}'
  location: location
  tags: union(tags, { 'azd-service-name': 'functions' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    publicNetworkAccess: 'Enabled'
    keyVaultReferenceIdentity: identityId
    siteConfig: {
      minTlsVersion: '1.2'
      ftpsState: 'Disabled'
      http20Enabled: true
      appSettings: concat(ownSettings, approvalSettings, handoverSettings, secretSettings)
    }
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: '${host.properties.primaryEndpoints.blob}${packageContainer}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
      }
      runtime: { name: 'python', version: '3.12' }
    }
  }

  // Deployment is by Entra identity; the publishing profile's password opens nothing.
  resource noFtp 'basicPublishingCredentialsPolicies' = {
    name: 'ftp'
    properties: { allow: false }
  }

  resource noScm 'basicPublishingCredentialsPolicies' = {
    name: 'scm'
    properties: { allow: false }
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: app
  name: 'logs'
  properties: {
    workspaceId: workspaceId
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

output name string = app.name
output url string = 'https://${app.properties.defaultHostName}'
