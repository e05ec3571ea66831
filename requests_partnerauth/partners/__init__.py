"""The partners, one module each. No I/O in any."""
