"""Stage 7: pages, the live view, the SQL playground. What hosts serve to people."""
