"""Joins what the ledger gathers with what the lifecycle decides: the state of one change, or of all.

The command line, the site and the verification all ask here, so that they can never disagree.
`overview` holds the shapes, `assess` fills them. `brief` and `events` say the same in short, `calendar` and `ics` what
is planned: commands and pages show these alike.
"""
