"""Terminal tables and plots."""
