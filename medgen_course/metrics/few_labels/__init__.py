"""What few labels suffice for, and what drawn images are worth in labelled ones."""
