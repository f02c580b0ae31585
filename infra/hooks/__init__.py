"""What `azd up` cannot say in Bicep: steps that need the deployed code. Standard library and the `az` command alone."""
