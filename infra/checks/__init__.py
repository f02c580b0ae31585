"""
Checks of the Bicep files without the Bicep compiler: syntax, names, modules, types of Azure's resource providers.

`python -m infra.checks TYPES` checks `infra/`, where TYPES is a folder of `{provider}/{version}/*.types.json` as
Azure/bicep-types-az publishes them.
"""
