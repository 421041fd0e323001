"""A whole installation from one file: organisations, people, diaries, teams, and what can be booked."""
