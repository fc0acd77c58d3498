"""Answers read out of replies. Pure: nothing of a reply is ever trusted or carried out."""
