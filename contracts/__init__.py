"""The built-in contracts: what a transaction may do to the state; pure, versioned by height."""
