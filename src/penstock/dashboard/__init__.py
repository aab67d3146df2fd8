"""Stage 7: pages that people open. A URL says all of what is asked; reports answer; templates and charts draw it."""
