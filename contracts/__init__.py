"""Built-in contracts in Python: no user code runs on chain, and a rule changes only by height."""
