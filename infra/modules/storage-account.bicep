// One storage account that opens to identities alone unless its keys are asked for, with its containers, tables and queues.

@description('Name of the account, unique in the world.')
param name string

@description('Azure region.')
param location string

@description('Tags of every resource.')
param tags object

@description('SKU: how many copies, and where.')
param redundancy string

@description('Names of its containers.')
param containers array

@description('Names of its tables.')
param tables array

@description('Names of its queues.')
param queues array

@description('How many days a deleted or overwritten blob can be brought back; 0 turns that off.')
param daysToUndo int

@description('Whether the account opens to its keys too.')
param allowSharedKeyAccess bool

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' = {
  // checkov:skip=CKV_AZURE_35:Flex Consumption has no fixed address to allow; every request needs an identity and a role
  // checkov:skip=CKV_AZURE_59:the same; anonymous reading is off
  // checkov:skip=CKV_AZURE_206:redundancy is a parameter: ZRS for what people drop, LRS for what can be made anew
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: redundancy }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: allowSharedKeyAccess
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: 'Enabled' // Flex Consumption and Container Apps reach it without a network of their own
    networkAcls: {
      bypass: 'AzureServices'
      defaultAction: 'Allow'
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-01-01' = {
  parent: account
  name: 'default'
  properties: {
    isVersioningEnabled: daysToUndo > 0
    deleteRetentionPolicy: daysToUndo > 0 ? { enabled: true, days: daysToUndo } : { enabled: false }
    containerDeleteRetentionPolicy: daysToUndo > 0 ? { enabled: true, days: daysToUndo } : { enabled: false }
  }
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-01-01' = [
  for each in containers: {
    parent: blobs
    name: each
    properties: { publicAccess: 'None' }
  }
]

resource oldVersions 'Microsoft.Storage/storageAccounts/managementPolicies@2025-01-01' = if (daysToUndo > 0) {
  parent: account
  name: 'default'
  properties: {
    policy: {
      rules: [
        {
          name: 'remove-old-versions'
          type: 'Lifecycle'
          definition: {
            actions: { version: { delete: { daysAfterCreationGreaterThan: daysToUndo } } }
            filters: { blobTypes: ['blockBlob'] }
          }
        }
      ]
    }
  }
}

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2025-01-01' = {
  parent: account
  name: 'default'
}

resource table 'Microsoft.Storage/storageAccounts/tableServices/tables@2025-01-01' = [
  for each in tables: {
    parent: tableService
    name: each
  }
]

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2025-01-01' = {
  parent: account
  name: 'default'
}

resource queue 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-01-01' = [
  for each in queues: {
    parent: queueService
    name: each
  }
]

output name string = account.name
