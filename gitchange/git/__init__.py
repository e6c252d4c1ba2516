"""Git: objects, refs, history, remotes. The only room that knows pygit2.

`repository` reads and writes objects and refs in-process, `program` runs stock git where its own
machinery (credential helpers, hooks, pruned history walks) is what users rely on. What the objects
mean is the ledger's.
"""
