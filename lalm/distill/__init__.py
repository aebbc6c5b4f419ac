"""Distillation (stage 1): the backbone writes the replies that the model is trained on."""
