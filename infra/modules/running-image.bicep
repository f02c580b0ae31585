// The image that a container app runs already, so that provisioning, which knows no image, leaves it as it is.

@description('Name of the container app.')
param name string

@description('Whether there is one. Where there is none, the image is empty.')
param exists bool

resource app 'Microsoft.App/containerApps@2025-01-01' existing = if (exists) {
  name: name
}

output image string = exists ? app.properties.template.containers[0].image : ''
