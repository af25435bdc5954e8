"""`make run`: executes notebooks with papermill, several at a time, within limits."""
