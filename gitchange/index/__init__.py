"""A derived, disposable index: what every reading command would find out, remembered until something changes.

An SQLite file in the Git folder that all work trees share. Deleting it changes no answer, and `verify` never asks it.

`place` finds the repository and reads its refs without any library, `store` is the file, `rows` answers from it. They
import nothing that takes long, because most commands need nothing else. `refresh` brings the file up to date from what
changed, by `facts` that it keeps.
"""
