// One environment in one resource group of its own: `azd down --purge` leaves nothing. No account key, no password.
// The Event Grid subscription follows in event-subscription.bicep, once the code is deployed.

targetScope = 'subscription'

@description('Name of the azd environment; part of the resource group\'s name.')
@minLength(1)
@maxLength(40)
param environmentName string

@description('Region of everything. It must offer Flex Consumption: `az functionapp list-flexconsumption-locations`.')
param location string

@description('Who deploys: may publish models, drop training files and write the endpoints\' keys. Empty: nobody but the apps.')
param principalId string = ''

@description('What `principalId` is: a pipeline signs in as a service principal.')
@allowed(['User', 'Group', 'ServicePrincipal'])
param principalType string = 'User'

@description('Receives alerts and budget warnings. Empty: alerts tell nobody, the budget the owners alone.')
param alertEmail string = ''

@description('Monthly cost, in the currency of the subscription, whose 80 % and forecast 100 % are reported. The first deployment sets it.')
@minValue(1)
param monthlyBudget int = 50

@description('First day of the budget\'s first month; used by the first deployment alone.')
param budgetStart string = utcNow('yyyy-MM-01')

@description('Copies of the stored data: LRS within a building, ZRS over three of them, GRS and GZRS in a second region too.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param storageRedundancy string = 'Standard_ZRS'

@description('Memory of one function instance in MB. Files are streamed; the gate holds the holdout rows.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('Most instances of the function app; each function scales on instances of its own.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('How often open runs are looked at: six NCRONTAB fields, UTC.')
param pollSchedule string = '*/30 * * * * *'

@description('How often schedules are looked at and stray files swept up: six NCRONTAB fields, UTC.')
param retrainSchedule string = '0 */5 * * * *'

@description('App settings that models.toml refers to, a webhook\'s too. Each is a secret of the vault; infra/hooks/publish.py fills in a service\'s.')
param modelSettings array = [
  'CENSUS_JOBS_URL'
  'CENSUS_JOBS_KEY'
  'CENSUS_LIVE_URL'
  'CENSUS_LIVE_KEY'
  'CENSUS_STAGING_URL'
  'CENSUS_STAGING_KEY'
]

@description('Messages of held runs carry a signed link by which who holds it decides. False where names have to be proven.')
param approvalLinks bool = true

@description('Warning: true opens the data account to its keys and hands one to every training job. Only for a service that takes no tokens (KEYED_HANDOVER).')
param keyedHandover bool = false

@description('Scoring replicas that always run; 0 saves their cost and makes the first request wait for a start.')
@minValue(0)
param scoringMinReplicas int = 1

@description('Most scoring replicas.')
@minValue(1)
param scoringMaxReplicas int = 4

@description('Most training workers; with nothing to do there is none.')
@minValue(1)
param trainingMaxReplicas int = 3

@description('Whether the scoring service is there, and keeps its image; azd looks before it provisions.')
param scoringExists bool = false

@description('Whether the training workers are there, and keep their image; azd looks before it provisions.')
param trainingExists bool = false

@description('How long logs are kept, in days.')
@minValue(30)
@maxValue(730)
param logRetentionDays int = 30

var token = toLower(uniqueString(subscription().id, environmentName, location))
var tags = { 'azd-env-name': environmentName }

resource group 'Microsoft.Resources/resourceGroups@2024-11-01' = {
  name: 'rg-relearn-${environmentName}'
  location: location
  tags: tags
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    retentionDays: logRetentionDays
  }
}

module identities 'modules/identities.bicep' = {
  name: 'identities'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    redundancy: storageRedundancy
    keyedHandover: keyedHandover
  }
}

module vault 'modules/vault.bicep' = {
  name: 'vault'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    modelSettings: modelSettings
    keyedHandover: keyedHandover
    dataAccountName: storage.outputs.dataAccountName
    workspaceId: monitoring.outputs.workspaceId
  }
}

module registry 'modules/registry.bicep' = {
  name: 'registry'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
  }
}

module events 'modules/events.bicep' = {
  name: 'events'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    dataAccountName: storage.outputs.dataAccountName
    deadLetterContainer: storage.outputs.deadLetterContainer
  }
}

module roles 'modules/roles.bicep' = {
  name: 'roles'
  scope: group
  params: {
    functionsPrincipalId: identities.outputs.functionsPrincipalId
    studioPrincipalId: identities.outputs.studioPrincipalId
    deployerPrincipalId: principalId
    deployerPrincipalType: principalType
    hostAccountName: storage.outputs.hostAccountName
    dataAccountName: storage.outputs.dataAccountName
    studioAccountName: storage.outputs.studioAccountName
    vaultName: vault.outputs.name
    modelSettings: modelSettings
    approvalLinks: approvalLinks
    keyedHandover: keyedHandover
    registryName: registry.outputs.name
    applicationInsightsName: monitoring.outputs.applicationInsightsName
  }
}

module studio 'modules/studio.bicep' = {
  name: 'studio'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    identityId: identities.outputs.studioId
    identityClientId: identities.outputs.studioClientId
    studioAccountName: storage.outputs.studioAccountName
    dataAccountName: storage.outputs.dataAccountName
    vaultUri: vault.outputs.uri
    registryServer: registry.outputs.loginServer
    workspaceId: monitoring.outputs.workspaceId
    scoringExists: scoringExists
    trainingExists: trainingExists
    scoringMinReplicas: scoringMinReplicas
    scoringMaxReplicas: scoringMaxReplicas
    trainingMaxReplicas: trainingMaxReplicas
  }
  dependsOn: [
    roles // images are pulled and secrets read by the identity while the apps are made
  ]
}

module functions 'modules/functions.bicep' = {
  name: 'functions'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    identityId: identities.outputs.functionsId
    identityClientId: identities.outputs.functionsClientId
    hostAccountName: storage.outputs.hostAccountName
    dataAccountName: storage.outputs.dataAccountName
    packageContainer: storage.outputs.packageContainer
    vaultName: vault.outputs.name
    modelSettings: modelSettings
    approvalLinks: approvalLinks
    keyedHandover: keyedHandover
    applicationInsightsName: monitoring.outputs.applicationInsightsName
    workspaceId: monitoring.outputs.workspaceId
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    pollSchedule: pollSchedule
    retrainSchedule: retrainSchedule
  }
  dependsOn: [
    roles // the host opens its storage as soon as it starts
  ]
}

module workbook 'modules/workbook.bicep' = {
  name: 'workbook'
  scope: group
  params: {
    location: location
    tags: tags
    workspaceId: monitoring.outputs.workspaceId
  }
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  scope: group
  params: {
    location: location
    tags: tags
    token: token
    workspaceId: monitoring.outputs.workspaceId
    email: alertEmail
  }
}

module budget 'modules/budget.bicep' = {
  name: 'budget'
  scope: group
  params: {
    name: 'relearn-${environmentName}'
    amount: monthlyBudget
    startDate: budgetStart
    email: alertEmail
  }
}

output AZURE_RESOURCE_GROUP string = group.name
output AZURE_CONTAINER_REGISTRY_ENDPOINT string = registry.outputs.loginServer
output AZURE_KEY_VAULT_NAME string = vault.outputs.name
output FUNCTION_APP_NAME string = functions.outputs.name
output FUNCTION_APP_URL string = functions.outputs.url
output EVENT_TOPIC_NAME string = events.outputs.topicName
output DEAD_LETTER_CONTAINER string = storage.outputs.deadLetterContainer
output DATA_ACCOUNT_NAME string = storage.outputs.dataAccountName
output STUDIO_ACCOUNT_NAME string = storage.outputs.studioAccountName
output STUDIO_URL string = studio.outputs.url
output MODEL_SETTINGS string = join(modelSettings, ' ')
