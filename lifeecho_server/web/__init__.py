"""The listener, the socket's upgrade and the HTTP routes."""
