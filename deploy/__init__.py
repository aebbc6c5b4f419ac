"""Deployment: the command line, the HTTP service on Ray Serve, and clusters."""
