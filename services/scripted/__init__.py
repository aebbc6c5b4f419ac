"""Test doubles: models, and a server of one, whose replies follow a script."""
