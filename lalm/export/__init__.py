"""Export of a trained LALM in Hugging Face format, and the plug-in that serves it in vLLM."""
