"""`make sweep`: a chapter executed with many combinations of its parameters."""
