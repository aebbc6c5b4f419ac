"""Version check of Ray, whose private API is used (`ray_internals.py`); imports no Ray."""

from importlib.metadata import version

from services.errors import ModelError

RAY_VERSION = "2.60.0"


def require_ray() -> None:
    """Raise `ModelError` with the cure where another version of Ray is installed."""
    if (installed := version("ray")) != RAY_VERSION:
        raise ModelError(
            f"Ray {RAY_VERSION} is needed, as parts of it are used that may change, and Ray {installed} is installed: "
            f"pip install 'ray[serve]=={RAY_VERSION}'."
        )
