"""Pure: evidence + policy + time -> verdict. No IO, so every rule can be tested without a repository.

`rules` finds out what the policy asks of a change, `judge` decides status, steps, findings and what
comes next. `conflicts`, `slots`, `suspects` and `figures` look at many changes together.
"""
