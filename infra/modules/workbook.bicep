// The page to look at: what runs came to, and what needs a person. It reads the same queries as the alerts.

@description('Azure region.')
param location string

@description('Tags of every resource.')
param tags object

@description('Id of the Log Analytics workspace that is asked.')
param workspaceId string

var charts = [
  { title: 'Runs by outcome', query: loadTextContent('../queries/runs-by-outcome.kql'), form: 'barchart' }
  { title: 'Decisions of the gate', query: loadTextContent('../queries/decisions.kql'), form: 'table' }
  { title: 'Files: quarantined, duplicate, taken up late', query: loadTextContent('../queries/files.kql'), form: 'table' }
  { title: 'Seconds in each state', query: loadTextContent('../queries/stage-durations.kql'), form: 'table' }
  { title: 'Seconds between looks at open runs', query: loadTextContent('../queries/poll-lag.kql'), form: 'linechart' }
  { title: 'Seconds until a file is settled', query: loadTextContent('../queries/file-age.kql'), form: 'table' }
  { title: 'Gain of challengers, with its bounds', query: loadTextContent('../queries/gate-gains.kql'), form: 'scatterchart' }
  { title: 'Slowest calls to the services', query: loadTextContent('../queries/slow-calls.kql'), form: 'table' }
  { title: 'Runs that failed', query: loadTextContent('../queries/run-failed.kql'), form: 'table' }
  { title: 'Promotions that were not seen to serve', query: loadTextContent('../queries/promotion-unverified.kql'), form: 'table' }
  { title: 'Files that are too old', query: loadTextContent('../queries/file-too-old.kql'), form: 'table' }
  { title: 'Messages put aside', query: loadTextContent('../queries/message-poisoned.kql'), form: 'table' }
]

var items = [
  for chart in charts: {
    type: 3
    name: chart.title
    content: {
      version: 'KqlItem/1.0'
      title: chart.title
      query: chart.query
      visualization: chart.form
      size: 0
      queryType: 0
      resourceType: 'microsoft.operationalinsights/workspaces'
      timeContext: { durationMs: 604800000 } // a week
    }
  }
]

resource workbook 'Microsoft.Insights/workbooks@2022-04-01' = {
  name: guid(resourceGroup().id, 'relearn')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    category: 'workbook'
    displayName: 'Relearn'
    serializedData: string({ version: 'Notebook/1.0', items: items })
    sourceId: workspaceId
    version: 'Notebook/1.0'
  }
}
