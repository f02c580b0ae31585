"""
Declarations, training, evaluation, model files and scoring: the service's core, without HTTP and without storage.

    experiment ─────► training ──────────────────────► model_file ──────────► scorer, batch_scoring
      design            dataset, split                   container              cells
        schema          fitting                          schema, design         scored_columns
        learners          learners                       model_section          trees    LightGBM's C library
      options               trees: tree_growing, forests   tree_text, network   network  plain arithmetic
      ports, parameters     networks: encoding
      score_module
                        evaluation, cross_validation, tuning

Training imports numpy and pyarrow, and of the other libraries what the learner needs. Scoring imports the standard
library alone and calls LightGBM's C library where a model has trees, so that a scoring process starts in a fraction of
a second; the Python package `lightgbm` is never imported.
"""
