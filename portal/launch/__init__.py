"""Starts the whole product on one machine: what stands behind make demo, and the servers of the tests."""
