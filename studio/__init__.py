"""
The Studio-compatible web service: trains and serves models over the protocol of Azure ML Studio (classic).

`studio.engine` holds declarations, training, evaluation, model files and scoring, without HTTP and without storage; the
modules beside it are the service around it. Nothing here is imported by the function app.
"""
