// Holds the two images of studio/; pulled by identity, no administrator account.

@description('Azure region.')
param location string

@description('Tags of every resource.')
param tags object

@description('What makes names unique: of subscription, environment and region.')
param token string

resource registry 'Microsoft.ContainerRegistry/registries@2025-04-01' = {
  // checkov:skip=CKV_AZURE_139:a network of its own is a choice for the owner; every request needs an identity
  // checkov:skip=CKV_AZURE_163:scanning is a subscription-wide plan of Defender, not a property of the registry
  // checkov:skip=CKV_AZURE_166:quarantine needs the Premium tier, fifteen times the price
  name: 'cr${token}'
  location: location
  tags: tags
  sku: { name: 'Basic' }
  properties: {
    adminUserEnabled: false
    anonymousPullEnabled: false
    publicNetworkAccess: 'Enabled'
  }
}

output name string = registry.name
output loginServer string = registry.properties.loginServer
