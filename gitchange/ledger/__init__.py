"""Documents, notes and witnesses as they are kept in Git.

`documents` reads policies and change files, `notes` keeps sign-offs, `signoffs` authenticates them,
`records` closes changes, `remote` exchanges all of it. What the evidence amounts to is the
lifecycle's to say.
"""
