"""Answer verification of AKB-open: each kind of answer is derived again by code that shares nothing with its maker."""
