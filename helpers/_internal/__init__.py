"""What makes helpers robust, and what a learner need not read."""
