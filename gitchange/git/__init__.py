"""Git: objects, refs, history, remotes. The only room that knows pygit2.

`repository` reads and writes objects and refs: in-process by libgit2 (`library`), and little without it
(`plain`, `place`), because it takes longer to load than to answer. `program` runs stock git where its own
machinery (credential helpers, hooks, pruned history walks) is what users rely on. What the objects
mean is the ledger's.
"""
