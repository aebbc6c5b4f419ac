"""Self-distillation (stage 1): the backbone writes the replies that the LALM is trained on."""
