"""Models and the HTTP front: everything that is called."""
