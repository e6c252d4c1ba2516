"""The command line: parses, calls one function of the workflow, renders.

The only reader of environment, terminal and clock.
"""
