"""What SQL cannot do for a report: each module has `finish(table, question)`, rows as SQL gave them → rows as shown."""
