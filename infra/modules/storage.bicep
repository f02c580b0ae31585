// Three accounts, so that a role on one program's storage says nothing about another's:
// `host` is the Functions host's, `data` holds what people drop and all state of the app, `studio` is the service's own.

@description('Azure region.')
param location string

@description('Tags of every resource.')
param tags object

@description('What makes names unique: of subscription, environment and region.')
param token string

@description('Copies of the data in `data` and `studio`; `host` holds nothing that cannot be made anew.')
param redundancy string

@description('As in main.bicep: whether `data` opens to its keys.')
param keyedHandover bool

var containers = {
  host: ['app-package']
  data: ['training-data', 'holdouts', 'training-sets', 'artifacts', 'quarantine', 'undelivered-events']
  studio: ['studio-artifacts', 'experimentoutput']
}

module host 'storage-account.bicep' = {
  name: 'storage-host'
  params: {
    name: 'sthost${token}'
    location: location
    tags: tags
    redundancy: 'Standard_LRS'
    containers: containers.host
    tables: []
    queues: []
    daysToUndo: 0
    allowSharedKeyAccess: false
  }
}

module data 'storage-account.bicep' = {
  name: 'storage-data'
  params: {
    name: 'stdata${token}'
    location: location
    tags: tags
    redundancy: redundancy
    containers: containers.data
    tables: ['datasets', 'runs', 'models', 'decisions']
    queues: ['evaluations']
    daysToUndo: 14
    allowSharedKeyAccess: keyedHandover
  }
}

module studio 'storage-account.bicep' = {
  name: 'storage-studio'
  params: {
    name: 'ststudio${token}'
    location: location
    tags: tags
    redundancy: redundancy
    containers: containers.studio
    tables: ['studiocatalog', 'studiojobs']
    queues: ['studio-jobs']
    daysToUndo: 14
    allowSharedKeyAccess: false
  }
}

output hostAccountName string = host.outputs.name
output dataAccountName string = data.outputs.name
output studioAccountName string = studio.outputs.name
output packageContainer string = containers.host[0]
output deadLetterContainer string = last(containers.data)
