"""Pages on a shopper's phone, at the box or through HQ's relay; a file for each."""
