"""The HTTP interface of a node: checks requests at the edge and asks the kernel."""
