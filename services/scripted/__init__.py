"""Test doubles: models whose replies follow a script."""
