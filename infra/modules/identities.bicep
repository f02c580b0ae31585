// Two identities, one for each program; what each may do is in roles.bicep.

@description('Azure region.')
param location string

@description('Tags of every resource.')
param tags object

@description('What makes names unique: of subscription, environment and region.')
param token string

resource functions 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-functions-${token}'
  location: location
  tags: tags
}

resource studio 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-studio-${token}'
  location: location
  tags: tags
}

output functionsId string = functions.id
output functionsClientId string = functions.properties.clientId
output functionsPrincipalId string = functions.properties.principalId
output studioId string = studio.id
output studioClientId string = studio.properties.clientId
output studioPrincipalId string = studio.properties.principalId
