"""What is heard in a recording without a question: transcripts and descriptions, as JSON and as players read them."""
