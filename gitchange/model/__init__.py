"""The documents of a configuration repository as data: parsed, validated, written; no IO.

`change` (the request), `policy` (roles, rules, systems), `statement` (what a sign-off says),
`record` (what documentation appends), `finding` (what is wrong, where, and how to mend it).
Reading them from Git is the ledger's, deciding about them is the lifecycle's.
"""
