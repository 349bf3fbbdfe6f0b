"""What the chain is: records, their canonical bytes, proofs and execution.

Pure: everything here is a function of its arguments on every machine, with no clock, chance,
float or I/O. It imports none of the other packages.
"""
