"""States: where each is, what is in it, who holds its lock, and how it is kept in a bucket."""
