// The Studio-compatible service on Container Apps: scoring behind HTTP, training workers behind the queue.

@description('Azure region.')
param location string

@description('Tags of every resource.')
param tags object

@description('What makes names unique: of subscription, environment and region.')
param token string

@description('Resource id of the service\'s identity.')
param identityId string

@description('Client id of that identity.')
param identityClientId string

@description('The service\'s own account.')
param studioAccountName string

@description('Account whose blobs jobs and PATCHes may name.')
param dataAccountName string

@description('Address of the vault.')
param vaultUri string

@description('Host name of the registry.')
param registryServer string

@description('Id of the Log Analytics workspace.')
param workspaceId string

@description('Whether the scoring app is there already, with an image that stays.')
param scoringExists bool

@description('Whether the training app is there already, with an image that stays.')
param trainingExists bool

@description('Replicas that score at least; 0: none while nobody asks.')
param scoringMinReplicas int

@description('Replicas that score at most.')
param scoringMaxReplicas int

@description('Training workers at most; none runs while no job waits.')
param trainingMaxReplicas int

// Until the first deployment there is no image of ours. This one listens elsewhere, so the service's own probes wait for it.
var placeholder = 'mcr.microsoft.com/azuredocs/containerapps-helloworld:latest'
var port = 5100
var scoringName = 'scoring-${token}'
var trainingName = 'training-${token}'
var url = 'https://${scoringName}.${environment.properties.defaultDomain}'

module scoringImage 'running-image.bicep' = {
  name: 'scoring-image'
  params: { name: scoringName, exists: scoringExists }
}

module trainingImage 'running-image.bicep' = {
  name: 'training-image'
  params: { name: trainingName, exists: trainingExists }
}

var isScoringOurs = startsWith(scoringImage.outputs.image, registryServer)

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: studioAccountName
}

resource data 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: dataAccountName
}

var endpoints = account.properties.primaryEndpoints
var secrets = [
  { name: 'studio-secret', keyVaultUrl: '${vaultUri}secrets/studio-secret', identity: identityId }
  { name: 'studio-workspace-token', keyVaultUrl: '${vaultUri}secrets/studio-workspace-token', identity: identityId }
]
var settings = [
  // Endpoints without a key: opened by the identity below.
  { name: 'STUDIO_STORAGE', value: 'BlobEndpoint=${endpoints.blob};QueueEndpoint=${endpoints.queue};TableEndpoint=${endpoints.table}' }
  { name: 'AZURE_CLIENT_ID', value: identityClientId }
  { name: 'STUDIO_URL', value: url }
  { name: 'STUDIO_SECRET', secretRef: 'studio-secret' }
  { name: 'STUDIO_WORKSPACE_TOKEN', secretRef: 'studio-workspace-token' }
  { name: 'STUDIO_BLOB_HOSTS', value: split(data.properties.primaryEndpoints.blob, '/')[2] }
  { name: 'STUDIO_LOG_JSON', value: '1' }
  // The ingress stands in one of these networks, replaces X-Forwarded-For, and is the only way in.
  { name: 'STUDIO_TRUSTED_PROXIES', value: '10.0.0.0/8,100.64.0.0/10' }
]

resource environment 'Microsoft.App/managedEnvironments@2025-01-01' = {
  name: 'cae-${token}'
  location: location
  tags: tags
  properties: {
    appLogsConfiguration: { destination: 'azure-monitor' } // by the diagnostic setting below: no workspace key
    workloadProfiles: [{ name: 'Consumption', workloadProfileType: 'Consumption' }]
  }
}

resource logs 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: environment
  name: 'logs'
  properties: {
    workspaceId: workspaceId
    logs: [{ categoryGroup: 'allLogs', enabled: true }]
  }
}

resource scoring 'Microsoft.App/containerApps@2025-01-01' = {
  name: scoringName
  location: location
  tags: union(tags, { 'azd-service-name': 'scoring' })
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    environmentId: environment.id
    workloadProfileName: 'Consumption'
    configuration: {
      activeRevisionsMode: 'Single'
      ingress: {
        external: true
        targetPort: port
        transport: 'http'
        allowInsecure: false
      }
      registries: [{ server: registryServer, identity: identityId }]
      secrets: secrets
    }
    template: {
      containers: [
        {
          name: 'scoring'
          image: isScoringOurs ? scoringImage.outputs.image : placeholder
          env: settings
          resources: { cpu: json('0.5'), memory: '1Gi' }
          probes: !isScoringOurs ? [] : [
            { type: 'Liveness', httpGet: { path: '/health/live', port: port }, periodSeconds: 10 }
            { type: 'Readiness', httpGet: { path: '/health/ready', port: port }, periodSeconds: 5 }
          ]
        }
      ]
      scale: {
        minReplicas: scoringMinReplicas
        maxReplicas: scoringMaxReplicas
        rules: [{ name: 'requests', http: { metadata: { concurrentRequests: '50' } } }]
      }
    }
  }
}

resource training 'Microsoft.App/containerApps@2025-01-01' = {
  name: trainingName
  location: location
  tags: union(tags, { 'azd-service-name': 'training' })
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    environmentId: environment.id
    workloadProfileName: 'Consumption'
    configuration: {
      activeRevisionsMode: 'Single'
      registries: [{ server: registryServer, identity: identityId }]
      secrets: secrets
    }
    template: {
      // A stopped worker gives its job back; this is the time that it has for it.
      terminationGracePeriodSeconds: 60
      containers: [
        {
          name: 'training'
          image: empty(trainingImage.outputs.image) ? placeholder : trainingImage.outputs.image
          env: settings
          resources: { cpu: json('2.0'), memory: '4Gi' }
        }
      ]
      scale: {
        minReplicas: 0
        maxReplicas: trainingMaxReplicas
        pollingInterval: 10
        cooldownPeriod: 300
        rules: [
          {
            name: 'jobs'
            azureQueue: {
              accountName: studioAccountName
              queueName: 'studio-jobs'
              queueLength: 1 // a message stays, hidden, while its job runs: a busy worker keeps itself
              identity: identityId
            }
          }
        ]
      }
    }
  }
}

output url string = url
