// Reports cost; stops nothing. The first deployment alone makes it: Azure lets nobody change a budget's first month.

@description('Name of the budget.')
param name string

@description('A month, in the currency of the subscription.')
param amount int

@description('First day of a month, `yyyy-MM-01`.')
param startDate string

@description('Who is told, beside the owners; empty: the owners alone.')
param email string

var people = empty(email) ? [] : [email]

@onlyIfNotExists()
resource budget 'Microsoft.Consumption/budgets@2023-11-01' = {
  name: name
  properties: {
    category: 'Cost'
    amount: amount
    timeGrain: 'Monthly'
    timePeriod: { startDate: startDate }
    notifications: {
      spent: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 80
        thresholdType: 'Actual'
        contactEmails: people
        contactRoles: ['Owner']
      }
      forecast: {
        enabled: true
        operator: 'GreaterThan'
        threshold: 100
        thresholdType: 'Forecasted'
        contactEmails: people
        contactRoles: ['Owner']
      }
    }
  }
}
