// Reports cost; stops nothing. The first deployment alone makes it: Azure lets nobody change a budget's first month.

param name string
param amount int
param startDate string
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
