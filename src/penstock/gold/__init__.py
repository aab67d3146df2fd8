"""Stage 5: small tables of counts, always equal to what silver says. A store keeps them; see `stores/`."""
