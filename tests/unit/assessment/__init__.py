"""Tests of the room where ledger and lifecycle meet."""
