// Who may do what, and why. Scopes are as narrow as the operation allows; nobody gets a key of any account.

@description('Principal id of the app\'s identity.')
param functionsPrincipalId string

@description('Principal id of the service\'s identity.')
param studioPrincipalId string

@description('Empty: no person gets a role.')
param deployerPrincipalId string

@description('`User`, `Group`, or `ServicePrincipal` as in a pipeline.')
param deployerPrincipalType string

@description('The Functions host\'s own account.')
param hostAccountName string

@description('Account of files and state.')
param dataAccountName string

@description('The service\'s own account.')
param studioAccountName string

@description('Vault whose secrets are read.')
param vaultName string

@description('As in main.bicep: each is a secret of the vault, and an app setting that refers to it.')
param modelSettings array

@description('As in main.bicep: the app reads what it signs links with.')
param approvalLinks bool

@description('As in main.bicep.')
param keyedHandover bool

@description('Registry that images are pulled from.')
param registryName string

@description('Where both programs log to.')
param applicationInsightsName string

var role = {
  storageBlobDataOwner: 'b7e6dc6d-f1e8-4753-8033-0f276bb0955b'
  storageBlobDataContributor: 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
  storageBlobDataReader: '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1'
  storageBlobDelegator: 'db58b8e5-c6ad-4a2a-8342-4190687cbf4a'
  storageQueueDataContributor: '974c5e8b-45b9-4653-ba55-5f855dd0fb88'
  storageTableDataContributor: '0a9a7e1f-b9d0-4cc4-a60d-0319b160aaa3'
  keyVaultSecretsUser: '4633458b-17de-408a-b874-0445c86b69e6'
  keyVaultSecretsOfficer: 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'
  monitoringMetricsPublisher: '3913510d-42f4-4e42-8a64-420c390055eb'
  acrPull: '7f951dda-4ed3-4680-a7ca-43fe172d538d'
}

resource host 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: hostAccountName
}

resource data 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: dataAccountName

  resource blobs 'blobServices' existing = {
    name: 'default'

    resource trainingData 'containers' existing = { name: 'training-data' }
    resource holdouts 'containers' existing = { name: 'holdouts' }
    resource trainingSets 'containers' existing = { name: 'training-sets' }
    resource artifacts 'containers' existing = { name: 'artifacts' }
    resource quarantine 'containers' existing = { name: 'quarantine' }
  }
}

resource studio 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: studioAccountName
}

resource vault 'Microsoft.KeyVault/vaults@2024-11-01' existing = {
  name: vaultName
}

// Who reads which secrets: those that functions.bicep and studio.bicep refer to, and no other.
var modelSecrets = [for name in modelSettings: toLower(replace(name, '_', '-'))]
var ownSecrets = concat(approvalLinks ? ['approval-secret'] : [], keyedHandover ? ['keyed-handover'] : [])
var functionsSecretNames = concat(modelSecrets, ownSecrets)
var studioSecretNames = ['studio-secret', 'studio-workspace-token']

resource functionsSecret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' existing = [
  for name in functionsSecretNames: {
    parent: vault
    name: name
  }
]

resource studioSecret 'Microsoft.KeyVault/vaults/secrets@2024-11-01' existing = [
  for name in studioSecretNames: {
    parent: vault
    name: name
  }
]

resource registry 'Microsoft.ContainerRegistry/registries@2025-04-01' existing = {
  name: registryName
}

resource insights 'Microsoft.Insights/components@2020-02-02' existing = {
  name: applicationInsightsName
}

// The function app on its host's account: leases of timers, function keys, the package; owner is what the platform documents.
resource functionsHostBlobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: host
  name: guid(host.id, functionsPrincipalId, role.storageBlobDataOwner)
  properties: {
    principalId: functionsPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.storageBlobDataOwner)
  }
}

// The blob trigger's internal queue, made by the host.
resource functionsHostQueues 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: host
  name: guid(host.id, functionsPrincipalId, role.storageQueueDataContributor)
  properties: {
    principalId: functionsPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.storageQueueDataContributor)
  }
}

// The host's diagnostic events.
resource functionsHostTables 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: host
  name: guid(host.id, functionsPrincipalId, role.storageTableDataContributor)
  properties: {
    principalId: functionsPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.storageTableDataContributor)
  }
}

// What people drop is read, never written or deleted: the promise of the ledger, kept by the account itself.
resource functionsTrainingData 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: data::blobs::trainingData
  name: guid(data::blobs::trainingData.id, functionsPrincipalId, role.storageBlobDataReader)
  properties: {
    principalId: functionsPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.storageBlobDataReader)
  }
}

// The gate reads holdout rows.
resource functionsHoldouts 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: data::blobs::holdouts
  name: guid(data::blobs::holdouts.id, functionsPrincipalId, role.storageBlobDataReader)
  properties: {
    principalId: functionsPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.storageBlobDataReader)
  }
}

// Scheduled runs write their composed inputs.
resource functionsTrainingSets 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: data::blobs::trainingSets
  name: guid(data::blobs::trainingSets.id, functionsPrincipalId, role.storageBlobDataContributor)
  properties: {
    principalId: functionsPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.storageBlobDataContributor)
  }
}

// Models, metrics and reports; a token for one output gives no more than this role does.
resource functionsArtifacts 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: data::blobs::artifacts
  name: guid(data::blobs::artifacts.id, functionsPrincipalId, role.storageBlobDataContributor)
  properties: {
    principalId: functionsPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.storageBlobDataContributor)
  }
}

// Why a file was refused, written beside it.
resource functionsQuarantine 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: data::blobs::quarantine
  name: guid(data::blobs::quarantine.id, functionsPrincipalId, role.storageBlobDataContributor)
  properties: {
    principalId: functionsPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.storageBlobDataContributor)
  }
}

// The key that signs tokens for single blobs is asked of the account, so this one role is on the account: it reads no blob.
resource functionsDelegation 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: data
  name: guid(data.id, functionsPrincipalId, role.storageBlobDelegator)
  properties: {
    principalId: functionsPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.storageBlobDelegator)
  }
}

// Runs, ledger, models and decisions: all tables of this account are the app's.
resource functionsTables 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: data
  name: guid(data.id, functionsPrincipalId, role.storageTableDataContributor)
  properties: {
    principalId: functionsPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.storageTableDataContributor)
  }
}

// The queue of evaluations is read and written, and the host makes the queues of poisoned messages when it needs them.
resource functionsQueues 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: data
  name: guid(data.id, functionsPrincipalId, role.storageQueueDataContributor)
  properties: {
    principalId: functionsPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.storageQueueDataContributor)
  }
}

// App settings refer to the endpoints' keys, secret by secret: what the service encrypts with is none of the app's business.
resource functionsSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (name, at) in functionsSecretNames: {
    scope: functionsSecret[at]
    name: guid(vault.id, name, functionsPrincipalId, role.keyVaultSecretsUser)
    properties: {
      principalId: functionsPrincipalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.keyVaultSecretsUser)
    }
  }
]

// Application Insights takes nothing without an identity.
resource functionsTelemetry 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: insights
  name: guid(insights.id, functionsPrincipalId, role.monitoringMetricsPublisher)
  properties: {
    principalId: functionsPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.monitoringMetricsPublisher)
  }
}

// The studio service on its own account: models and default outputs; this role also asks for the key that signs results' tokens.
resource studioBlobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: studio
  name: guid(studio.id, studioPrincipalId, role.storageBlobDataContributor)
  properties: {
    principalId: studioPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.storageBlobDataContributor)
  }
}

// Its catalog and its jobs.
resource studioTables 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: studio
  name: guid(studio.id, studioPrincipalId, role.storageTableDataContributor)
  properties: {
    principalId: studioPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.storageTableDataContributor)
  }
}

// Jobs are handed to workers by a queue, whose length also scales them.
resource studioQueues 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: studio
  name: guid(studio.id, studioPrincipalId, role.storageQueueDataContributor)
  properties: {
    principalId: studioPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.storageQueueDataContributor)
  }
}

// What it encrypts with, and the token that opens its management; it has no use for the app's secrets.
resource studioSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for (name, at) in studioSecretNames: {
    scope: studioSecret[at]
    name: guid(vault.id, name, studioPrincipalId, role.keyVaultSecretsUser)
    properties: {
      principalId: studioPrincipalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.keyVaultSecretsUser)
    }
  }
]

// Both images are pulled without a password.
resource studioImages 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: registry
  name: guid(registry.id, studioPrincipalId, role.acrPull)
  properties: {
    principalId: studioPrincipalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.acrPull)
  }
}

// The deployer drops training files …
resource deployerTrainingData 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(deployerPrincipalId)) {
  scope: data::blobs::trainingData
  name: guid(data::blobs::trainingData.id, deployerPrincipalId, role.storageBlobDataContributor)
  properties: {
    principalId: deployerPrincipalId
    principalType: deployerPrincipalType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.storageBlobDataContributor)
  }
}

// … and holdout rows, …
resource deployerHoldouts 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(deployerPrincipalId)) {
  scope: data::blobs::holdouts
  name: guid(data::blobs::holdouts.id, deployerPrincipalId, role.storageBlobDataContributor)
  properties: {
    principalId: deployerPrincipalId
    principalType: deployerPrincipalType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.storageBlobDataContributor)
  }
}

// … publishes experiments, which writes models …
resource deployerStudioBlobs 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(deployerPrincipalId)) {
  scope: studio
  name: guid(studio.id, deployerPrincipalId, role.storageBlobDataContributor)
  properties: {
    principalId: deployerPrincipalId
    principalType: deployerPrincipalType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.storageBlobDataContributor)
  }
}

// … and the catalog, …
resource deployerStudioTables 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(deployerPrincipalId)) {
  scope: studio
  name: guid(studio.id, deployerPrincipalId, role.storageTableDataContributor)
  properties: {
    principalId: deployerPrincipalId
    principalType: deployerPrincipalType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.storageTableDataContributor)
  }
}

// … whose preparation looks for the queue, …
resource deployerStudioQueues 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(deployerPrincipalId)) {
  scope: studio
  name: guid(studio.id, deployerPrincipalId, role.storageQueueDataContributor)
  properties: {
    principalId: deployerPrincipalId
    principalType: deployerPrincipalType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.storageQueueDataContributor)
  }
}

// … and puts the new endpoints' keys into the vault.
resource deployerSecrets 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (!empty(deployerPrincipalId)) {
  scope: vault
  name: guid(vault.id, deployerPrincipalId, role.keyVaultSecretsOfficer)
  properties: {
    principalId: deployerPrincipalId
    principalType: deployerPrincipalType
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', role.keyVaultSecretsOfficer)
  }
}
