"""Training data made by us: clips whose every fact is known, because the facts came before the sound."""
