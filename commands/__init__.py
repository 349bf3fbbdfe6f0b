"""The commands of the command line: parse, call, print; one module for each group.

Modules import only typer and this package at the top: a newcomer's ``tanlian --help`` must not wait
for cryptography and servers that it does not use.
"""
