"""The same work through this project and the libraries people use today, side by side."""
