"""What is said: texts per purpose, channel and language. (The messages themselves are in the outbox.)"""
