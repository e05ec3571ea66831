"""What travels: one sending and its resend, one login, origins, redirects, replies, scrubbing."""
