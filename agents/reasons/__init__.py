"""Reasons for an answer: claims that cite evidence by id and time, each checked by code."""
