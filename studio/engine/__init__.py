"""
Declarations, training, evaluation, model files and scoring: the service's core, without HTTP and without storage.

    experiment ──► training ──► model_file ──► scorer
        │             │              │            │
      schema     dataset, split   tree_text    boosting
      learners   boosting
      sections   evaluation

Training imports numpy and pyarrow. Scoring imports the standard library alone and calls LightGBM's C library, so that a
scoring process starts in a fraction of a second; the Python package `lightgbm` is never imported.
"""
