"""Tables that notebooks show: a file for each lesson, of what was measured there or recorded before."""
