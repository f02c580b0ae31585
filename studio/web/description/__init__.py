"""What the service says of itself to programs: Swagger of one endpoint, OpenAPI of it all."""
