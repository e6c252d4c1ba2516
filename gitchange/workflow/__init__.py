"""One function for each verb: joins the rooms below, prints nothing, returns data.

`workspace` says where and when; `setup`, `requests`, `signoffs`, `documentation`, `reading` and
`exchange` hold the verbs. Asking people and showing results is the command line's.
"""
