"""Sentences behind the folds of notebooks, each picked by a rule that tests it: a file for each lesson."""
