"""How the jobs of a study are carried out: one after the other, or several at once."""
