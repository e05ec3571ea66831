"""Who logs in, when, and who waits; what is kept. Knows no HTTP and no partner."""
