"""Wording of clustered errors: when there are too few sources to trust them."""

FEW_CLUSTERS = 30
"""Below this, clustered intervals hold less often than they say (Cameron & Miller 2015, section VI)."""


def warn_of_few(num_clusters: int) -> str:
    """Return a sentence, with a space before it, where sources are too few; nothing where they are enough."""
    if num_clusters >= FEW_CLUSTERS:
        return ""
    return f" Fewer than {FEW_CLUSTERS} sources: take the interval for too narrow."
