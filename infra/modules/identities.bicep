// Two identities, one for each program; what each may do is in roles.bicep.

param location string
param tags object
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
