// What a person must look at. The queries are infra/queries/*.kql; the workbook uses the same.

@description('Azure region.')
param location string

@description('Tags of every resource.')
param tags object

@description('What makes names unique: of subscription, environment and region.')
param token string

@description('Id of the Log Analytics workspace that is asked.')
param workspaceId string

@description('Who is told; empty: nobody by e-mail, alerts are still raised.')
param email string

var rules = [
  {
    name: 'message-poisoned'
    title: 'A message failed five times and was put aside'
    query: loadTextContent('../queries/message-poisoned.kql')
    severity: 1
  }
  {
    name: 'run-failed'
    title: 'A run failed or took too long'
    query: loadTextContent('../queries/run-failed.kql')
    severity: 2
  }
  {
    name: 'file-too-old'
    title: 'A training file has had no final state, or waited, for longer than its model allows'
    query: loadTextContent('../queries/file-too-old.kql')
    severity: 2
  }
  {
    name: 'promotion-unverified'
    title: 'The live endpoint was not seen to answer as the promoted model did'
    query: loadTextContent('../queries/promotion-unverified.kql')
    severity: 0
  }
]

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(email)) {
  name: 'ag-${token}'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'relearn'
    emailReceivers: [{ name: 'owner', emailAddress: email, useCommonAlertSchema: true }]
  }
}

resource rule 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = [
  for each in rules: {
    name: each.name
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: each.title
      description: 'docs/azure.md, "Alerts", says what to do.'
      enabled: true
      severity: each.severity
      scopes: [workspaceId]
      skipQueryValidation: true // a new workspace knows no AppTraces until a line has come, and would fail the deployment
      evaluationFrequency: 'PT5M'
      windowSize: 'PT15M'
      autoMitigate: true
      criteria: {
        allOf: [
          {
            query: each.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: { actionGroups: empty(email) ? [] : [people.id] }
    }
  }
]
