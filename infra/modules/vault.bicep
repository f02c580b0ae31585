// The secrets that remain: the services' API keys and addresses, and what the studio service encrypts with.
// Each is made once and never overwritten by a later deployment.

@description('Azure region.')
param location string

@description('Tags of every resource.')
param tags object

@description('What makes names unique: of subscription, environment and region.')
param token string

@description('Names of the secrets, one for each setting that models.toml refers to.')
param modelSettings array

@description('Account whose connection string is kept where jobs get its key.')
param dataAccountName string

@description('As in main.bicep: whether jobs get the data account\'s key.')
param keyedHandover bool

@description('Id of the Log Analytics workspace that keeps who read what.')
param workspaceId string

@description('New at every deployment, and used by the first alone.')
@secure()
param seed string = newGuid()

@description('As `seed`.')
@secure()
param secondSeed string = newGuid()

@description('As `seed`.')
@secure()
param approvalSeed string = newGuid()

// The app starts with these, and its health names them until a model is published.
var unpublished = 'https://not-published.invalid/workspaces/none'
var noJobs = '${unpublished}/services/none/jobs'
var digits = replace('${seed}${secondSeed}', '-', '')

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' = {
  // checkov:skip=CKV_AZURE_109:Flex Consumption has no fixed address to allow; every request needs an identity and a role
  // checkov:skip=CKV_AZURE_189:the same
  // checkov:skip=CKV_AZURE_110:purge protection would leave the vault behind after azd down
  // checkov:skip=CKV_AZURE_42:the same; a deleted vault can be brought back for seven days
  name: 'kv-${token}'
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 7
    publicNetworkAccess: 'Enabled'
    networkAcls: { bypass: 'AzureServices', defaultAction: 'Allow' }
  }
}

@onlyIfNotExists()
resource studioSecret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  // checkov:skip=CKV_AZURE_41:it encrypts what is stored: expiring, it would lock the service out of its own data
  parent: vault
  name: 'studio-secret'
  properties: {
    contentType: '32 bytes in urlsafe base64'
    value: '${take(digits, 43)}=' // hex digits are base64 digits: 43 of them and the padding are 32 bytes
  }
}

@onlyIfNotExists()
resource studioToken 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  // checkov:skip=CKV_AZURE_41:expiring, it would lock people out of the service's management
  parent: vault
  name: 'studio-workspace-token'
  properties: {
    contentType: 'text of 32 characters or more'
    value: guid(secondSeed, seed)
  }
}

@onlyIfNotExists()
resource approvalSecret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = {
  // checkov:skip=CKV_AZURE_41:expiring, it would end links that wait for a person; a new value ends them all
  parent: vault
  name: 'approval-secret'
  properties: {
    contentType: 'text of 32 characters or more'
    value: replace(approvalSeed, '-', '')
  }
}

resource data 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: dataAccountName
}

// Written at every deployment: a key that was drawn anew is taken up by the next `azd up`.
resource handover 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = if (keyedHandover) {
  // checkov:skip=CKV_AZURE_41:the account's key is valid until it is drawn anew
  // checkov:skip=CKV_AZURE_114:it has a content type, which checkov does not find behind an 'if'
  parent: vault
  name: 'keyed-handover'
  properties: {
    contentType: 'connection string with account key'
    value: 'DefaultEndpointsProtocol=https;AccountName=${data.name};AccountKey=${data.listKeys().keys[0].value};EndpointSuffix=${environment().suffixes.storage}'
  }
}

@onlyIfNotExists()
resource modelSetting 'Microsoft.KeyVault/vaults/secrets@2024-11-01' = [
  for name in modelSettings: {
    // checkov:skip=CKV_AZURE_41:an endpoint's key is valid until it is drawn anew, which publish.py does
    parent: vault
    name: toLower(replace(name, '_', '-'))
    properties: {
      contentType: 'setting ${name}'
      value: endsWith(name, '_JOBS_URL') ? noJobs : endsWith(name, '_URL') ? '${unpublished}/webservices/none/endpoints/${toLower(name)}' : 'not published yet'
    }
  }
]

resource audit 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: vault
  name: 'audit'
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'audit', enabled: true }]
  }
}

output name string = vault.name
output uri string = vault.properties.vaultUri
