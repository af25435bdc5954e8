"""Grades what learners hand in: their answers, put into our own chapters."""
