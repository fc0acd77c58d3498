"""Where clips come from: media, labels, votes, gold, groups."""
