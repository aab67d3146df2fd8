"""Stage 6: questions, and the rows that answer them."""
