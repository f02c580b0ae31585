// The data account's events, and where those go that could not be delivered within a day.
// The subscription needs the deployed code: ../event-subscription.bicep.

@description('Azure region.')
param location string

@description('Tags of every resource.')
param tags object

@description('What makes names unique: of subscription, environment and region.')
param token string

@description('Account whose events are told.')
param dataAccountName string

@description('Container of that account that keeps events nobody took.')
param deadLetterContainer string

// Storage Blob Data Contributor on the dead-letter container: the topic writes what it could not deliver, nothing else.
var blobDataContributor = 'ba92f5b4-2d11-453d-a403-e96b0029c9fe'

resource account 'Microsoft.Storage/storageAccounts@2025-01-01' existing = {
  name: dataAccountName

  resource blobs 'blobServices' existing = {
    name: 'default'

    resource deadLetters 'containers' existing = {
      name: deadLetterContainer
    }
  }
}

resource topic 'Microsoft.EventGrid/systemTopics@2025-02-15' = {
  name: 'evgt-${token}'
  location: location
  tags: tags
  identity: { type: 'SystemAssigned' }
  properties: {
    source: account.id
    topicType: 'Microsoft.Storage.StorageAccounts'
  }
}

resource mayDeadLetter 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  scope: account::blobs::deadLetters
  name: guid(account::blobs::deadLetters.id, topic.id, blobDataContributor)
  properties: {
    principalId: topic.identity.principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', blobDataContributor)
  }
}

output topicName string = topic.name
