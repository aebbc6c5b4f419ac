"""Ray Serve deployments of models, and the handles that speak their protocols."""
