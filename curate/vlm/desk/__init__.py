"""The one door to the model: ledger, pace, budget, and who waits for whom."""
